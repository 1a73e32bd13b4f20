// The command's own words, in the language of the caller's locale: English, or Simplified Chinese for zh_CN and zh_SG.

import type { Severity } from '../core/model.ts'
import type { Ground } from '../judge/incidents/cause.ts'
import { en } from './texts-en.ts'
import { zh } from './texts-zh.ts'

export interface Texts {
  readonly help: Readonly<
    Record<
      | 'fieldline'
      | 'agent'
      | 'gateway'
      | 'collector'
      | 'check'
      | 'test'
      | 'browse'
      | 'inventory'
      | 'hl7'
      | 'smart-reports'
      | 'order'
      | 'probe'
      | 'disks'
      | 'status'
      | 'incidents'
      | 'demo',
      string
    >
  >
  readonly said: {
    seeHelp(command: string): string
    unknownCommand(word: string, known: string): string
    unknownCommandNear(word: string, near: string): string
    unknownSource(word: string, known: string): string
    unknownSourceNear(word: string, near: string): string
    needsOptions(type: string, lacks: string): string
    noSources(file: string): string
    onlyListens(name: string): string
    nothingRead(origins: string): string
    readonly column: Readonly<Record<'name' | 'attributes' | 'value' | 'unit' | 'age' | 'quality', string>>
    readonly quality: { readonly good: string }
    readonly waiting: string
    moreRows(count: number): string
    readonly ctrlC: string
    twoConfigurations(file: string): string
    configRight(file: string, daemon: string, sources: number, uplinks: number): string
    running(daemon: string, address: string): string
    notRunning(daemon: string, address: string, trouble: string): string
    readonly metricsOff: string
    spoolThere(file: string, size: string, time: string): string
    whatToDo(daemon: string, config: string | undefined): string
    orderKey(file: string): string
    orderArgument(word: string): string
    orderDone(result: string): string
    orderRefused(reason: string): string
    orderUnknown(reason: string): string
    orderUnheard(node: string): string
    readonly noDrives: string
    unexpected(word: string): string
    disksMost(word: string): string
    readonly disksNone: string
    disksNoSuch(id: string): string
    disksRead(time: string): string
    disksYears(years: string): string
    readonly disksUnknown: string
    readonly disksRisk: Readonly<Record<'watch' | 'warning' | 'critical', string>>
    readonly disksTrend: Readonly<Record<'rising' | 'steady' | 'falling' | 'unknown', string>>
    disksSummary(
      sum: Readonly<Record<'drives' | 'scored' | 'unknown' | 'gone' | 'watch' | 'warning' | 'critical', number>>,
      more: boolean,
    ): string
    readonly disksColumns: Readonly<
      Record<
        | 'risk'
        | 'node'
        | 'device'
        | 'model'
        | 'serial'
        | 'size'
        | 'age'
        | 'probability'
        | 'trend'
        | 'worn'
        | 'why'
        | 'count'
        | 'value'
        | 'first'
        | 'grownAt'
        | 'day',
        string
      >
    >
    /** By scene: what of it is simulated. */
    readonly simulated: Readonly<Record<'press' | 'plant' | 'ward', string>>
    readonly plantFromCheckout: string
    /** What goes on in a scene. */
    readonly scene: {
      readonly pressHeats: string
      readonly pressCools: string
      readonly sensorFails: string
      readonly sensorWorks: string
      spo2Falls(bed: string, percent: number): string
      spo2Recovers(bed: string): string
      pressureRises(bed: string, millimetres: number): string
      pressureRecovers(bed: string): string
      lampOn(ms: number): string
      readonly lampOff: string
      event(name: string, text: string): string
      findingOpens(rule: string, message: string): string
      findingEnds(rule: string): string
      readonly valveSticks: string
      /** The likely first cause and its message. */
      incidentOpen(id: string, findings: number, rule: string, message: string): string
      incidentEnds(id: string): string
    }
    readonly hl7Verbs: string
    hl7Address(word: string): string
    readonly hl7Tls: string
    hl7TriesWrong(word: string): string
    hl7Tries(count: number): string
    hl7Sent(accepted: number, all: number): string
    readonly hl7NothingAside: string
    probeSilent(unit: number, reason: string): string
    readonly probeNobody: string
    probeProgress(asked: number, of: number, answer: number): string
    probeUnits(units: string): string
    readonly probeEveryUnit: string
    probeFirstUnits(most: number): string
    probeUnit(unit: number): string
    probeIdentity(identity: string): string
    readonly probeNoIdentity: string
    probeSunspec(base: number, models: string): string
    readonly probeNothing: string
    readonly probeColumns: Readonly<Record<'table' | 'addresses' | 'values', string>>
    readonly probeNext: string
    readonly probeTemplates: string
    browsing(visited: number, variables: number): string
    browsed(url: string, visited: number, variables: number): string
    readonly browseLeft: Readonly<Record<'depth' | 'nodes' | 'time', string>>
    browseRefused(nodes: number): string
    browseSaved(file: string): string
    fileExists(file: string): string
    demoPortTaken(port: number): string
    demoPage(url: string): string
    readonly severity: Readonly<Record<Severity, string>>
    readonly incidentWhich: string
    readonly incidentEither: string
    readonly incidentNote: string
    incidentId(word: string): string
    readonly noIncidents: string
    readonly incidentColumns: Readonly<
      Record<'id' | 'severity' | 'since' | 'lasted' | 'findings' | 'where' | 'cause', string>
    >
    readonly incidentFacts: Readonly<
      Record<
        'state' | 'since' | 'where' | 'findings' | 'cause' | 'why' | 'common' | 'look' | 'feedback' | 'into',
        string
      >
    >
    readonly incidentOpen: string
    incidentOver(time: string, lasted: string): string
    incidentHosts(count: number): string
    incidentCounts(all: number, open: number, lowered: number): string
    readonly incidentWhy: Readonly<Record<Ground, string>>
    /** Seconds after the first finding. */
    incidentAfter(seconds: number): string
    incidentCommon(rule: string): string
    readonly incidentStorm: string
    readonly incidentBegins: string
    readonly incidentEnds: string
    readonly incidentMore: string
    readonly incidentNoProblem: string
    readonly incidentLowered: string
    incidentUndo(id: string): string
    readonly incidentTakenBack: string
    readonly faultOfPress: string
    /** Samples a second, envelopes in the spools, samples committed, latency, open findings and incidents, s from the fault to its incident. */
    demoLine(
      perSecond: number,
      spooled: number,
      committed: number,
      p99: string,
      findings: number,
      incidents: number,
      took: number | undefined,
    ): string
    demoSummary(sum: Readonly<Record<'read' | 'committed' | 'waiting' | 'lost' | 'duplicated', number>>): string
  }
}

/** As locale(7) orders them: LC_ALL, LC_MESSAGES, LANG. */
export function texts(env: NodeJS.ProcessEnv): Texts {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return /^zh_(CN|SG)/i.test(locale) ? zh : en
}
