// Findings of a fleet, told to a grouping as the collector would.

import type { Attributes, Severity } from '../../../core/model.ts'
import type { Incident, Report } from '../../../judge/incidents/incident.ts'
import { whereOf } from '../../../judge/incidents/place.ts'
import { Grouping } from '../../../judge/incidents.ts'

export const noon = Date.UTC(2026, 10, 26, 12)

export interface Told {
  readonly node: string
  readonly rule?: string
  readonly kind?: string
  readonly metric?: string | null
  readonly severity?: Severity
  /** Seconds after noon. */
  readonly at: number
  readonly until?: number
  readonly node_attributes?: Attributes
  readonly series?: Attributes
  readonly lowered?: boolean
}

export class Fleet {
  readonly grouping = new Grouping()
  /** In the order in which they opened. */
  readonly ids: string[] = []
  /** To which incident each finding belongs. */
  readonly #belongs = new Map<string, string>()

  /** The id of the incident it went to. */
  tell(told: Told): string | undefined {
    const { report, where } = reportOf(told)
    const { incident, merged } = this.grouping.take(report, where, told.lowered ?? false, `i-${report.key}`)
    for (const { part, whole } of merged)
      for (const [key, id] of this.#belongs) if (id === part) this.#belongs.set(key, whole)
    if (incident !== undefined) this.#belongs.set(report.key, incident)
    if (incident !== undefined && !this.ids.includes(incident)) this.ids.push(incident)
    return incident
  }

  end(told: Told, until: number): void {
    const { report } = reportOf({ ...told, until })
    this.grouping.tell(report, this.of(told)!, false)
  }

  of(told: Told): string | undefined {
    return this.#belongs.get(reportOf(told).report.key)
  }

  /** Those that are not parts of others. */
  incidents(): readonly Incident[] {
    return this.ids.map(id => this.grouping.get(id)!).filter(({ into }) => into === null)
  }
}

export function reportOf(told: Told) {
  const { node, rule = 'hot', kind = 'threshold', metric = 'press.heat', severity = 'warning', at, until } = told
  const since = noon + at * 1000
  const same = JSON.stringify([rule, node, metric, told.series ?? null])
  const ended = until === undefined ? {} : { until: noon + until * 1000 }
  const report: Report = { key: `${same}@${at}`, same, rule, kind, node, metric, severity, since, ...ended }
  return { report, where: whereOf(node, told.node_attributes ?? {}, told.series) }
}
