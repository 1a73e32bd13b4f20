// ORU^R40, alerts (IHE PCD TF-2, PCD-04 Report Alert): one OBR an alert, its facets as OBX. The same alert is one thing:
// its start, what changes while it lasts, and its end carry one id.

import { createHash } from 'node:crypto'
import type { Event, Json, Severity } from '../../core/model.ts'
import type { Clock } from './clock.ts'
import { nameOf } from './coded.ts'
import { Containment, type Node, nodeOf } from './containment.ts'
import type { Group } from './groups.ts'
import { implausible, metricOf } from './metrics.ts'
import type { Segment } from './segment.ts'
import { attributesAt, numberIn, type Place, type Reading } from './subject.ts'
import { eventOf } from './told.ts'

/** Facets by the ends of their reference ids: senders use old and new names, and several codes for one name. */
const facets = {
  phase: /_(?:EVENT|EVT)_PHASE$/,
  state: /_(?:ALARM|ALERT)_STATE$/,
  inactivation: /_INACTIVATION_STATE$/,
  priority: /_(?:ALARM|ALERT)_PRIORITY$/,
  type: /_(?:ALARM|ALERT)_TYPE$/,
  source: /_(?:ALARM|ALERT)_SOURCE$/,
  text: /_(?:ALARM|ALERT)_TEXT$/,
} as const
type Facet = keyof typeof facets

/** OBX-8 of PCD-04: priority, and kind of alert. */
const priorities: Readonly<Record<string, readonly [string, Severity]>> = {
  PH: ['high', 'critical'],
  PM: ['medium', 'error'],
  PL: ['low', 'warning'],
  PI: ['informational', 'info'],
  PN: ['none', 'info'],
}
const types: Readonly<Record<string, string>> = { SP: 'physiological', ST: 'technical', SA: 'advisory' }
const states = ['off', 'inactive', 'active', 'latched'] as const
const inactivations = [
  'enabled',
  'audio-paused',
  'audio-off',
  'alarm-paused',
  'alarm-off',
  'alert-acknowledged',
] as const

const phases = ['start', 'update', 'end'] as const
type Phase = (typeof phases)[number]
const phaseWords: Readonly<Record<string, Phase>> = {
  start: 'start',
  start_only: 'start',
  present: 'update',
  continue: 'update',
  update: 'update',
  escalate: 'update',
  'de-escalate': 'update',
  reset: 'update',
  end: 'end',
}

export function mapAlert(reading: Reading, group: Group, place: Place, clock: Clock): readonly Event[] {
  const nodes = group.observations.map(s => nodeOf(s, reading.words))
  const tree = new Containment(nodes)
  const by = facetsOf(nodes)
  const own = nodes.filter(n => !Object.values(by).includes(n.segment) && !isContainer(n.segment))
  const alarm = own.find(n => /MDCX?_EVT_/.test(names(n.segment))) ?? own[0]
  if (alarm === undefined) return []
  const code = codeOf(reading, alarm)
  const time = clock.of(alarm, tree, group.order)
  const about = own.find(n => n !== alarm && metricIn(n) !== undefined)
  const metric = about && metricIn(about)
  const flags = flagsOf(alarm.segment, by)
  const state = word(by.state, states)
  const here = attributesAt(reading, place, time)
  // Of a sender that is not the device itself the same kind of alert may be on at another bed.
  const where = place.instrument ?? `${place.device ?? ''}|${here.patient ?? here.bed ?? ''}`
  const now = { phase: phaseOf(by), state, time }
  const { id, phase } = thread(reading, group, where, `${code}|${metric ?? alarm.key}`, now)
  const severity = phase === 'end' ? 'info' : (flags.priority?.[1] ?? 'warning')
  const inactivation = word(by.inactivation, inactivations)
  const attributes = {
    ...here,
    alert: id,
    code,
    ...(flags.priority && { priority: flags.priority[0] }),
    ...(flags.type && { type: flags.type }),
    ...(state && { state }),
    ...(inactivation && { inactivation }),
    ...(metric && { metric }),
  }
  return [eventOf({ name: `hl7.alert.${phase}`, severity, time, body: measured(reading, about) }, { attributes })]
}

function names(segment: Segment): string {
  return `${segment.field(3).component(1)} ${segment.field(3).component(2)}`
}

function isContainer(segment: Segment): boolean {
  return /MDC_DEV_/.test(names(segment))
}

function facetsOf(nodes: readonly Node[]): Readonly<Partial<Record<Facet, Segment>>> {
  const found: Partial<Record<Facet, Segment>> = {}
  for (const { segment } of nodes) {
    const words = names(segment).split(' ')
    for (const facet of Object.keys(facets) as Facet[])
      if (words.some(w => facets[facet].test(w))) found[facet] ??= segment
  }
  return found
}

/** What the alert is: the event's own code, or, where that is only "an alarm", the code in its value. */
function codeOf(reading: Reading, { segment, coded: kind }: Node): string {
  const value = reading.words.coded(segment.field(5))
  const isGeneric = kind === undefined || /^MDCX?_EVT_(?:ALARM|ALERT\w*)$/.test(kind.name)
  const code = isGeneric ? (value ?? kind) : kind
  return code === undefined ? 'unknown' : nameOf(code)
}

function metricIn({ coded }: Node): string | undefined {
  return coded === undefined || /_(?:EVT|ATTR|DEV)_/.test(coded.name) ? undefined : nameOf(coded)
}

/** Priority and type stand in OBX-8 of the first facet, in any order, or in facets of their own. */
function flagsOf(alarm: Segment, by: ReturnType<typeof facetsOf>) {
  const field = alarm.field(8)
  const said = Array.from({ length: Math.min(field.repetitions, 10) }, (_, n) => field.component(1, 1, n + 1))
  said.push(by.priority?.field(5).component() ?? '', by.type?.field(5).component() ?? '')
  const find = <T>(table: Readonly<Record<string, T>>): T | undefined =>
    said.map(flag => (Object.hasOwn(table, flag) ? table[flag] : undefined)).find(f => f !== undefined)
  return { priority: find(priorities), type: find(types) }
}

function word<T extends string>(segment: Segment | undefined, known: readonly T[]): T | undefined {
  const text = segment?.field(5).component().trim().toLowerCase()
  return known.find(k => k === text)
}

function phaseOf({ phase }: ReturnType<typeof facetsOf>): Phase | undefined {
  const text = phase?.field(5).component().trim().toLowerCase() ?? ''
  return Object.hasOwn(phaseWords, text) ? phaseWords[text] : undefined
}

/** The number that the alert is about, with its limits: numbers and units alone. */
function measured(reading: Reading, about: Node | undefined): Json {
  if (about === undefined) return {}
  const { segment, coded } = about
  const unit = reading.words.unit(segment.field(6))
  const read = numberIn(reading, segment.field(5).component())
  const range = segment.field(7).component().trim()
  const isRange = /^(?:[<>]=? ?)?\d{1,5}(?:\.\d{1,3})?(?: ?- ?\d{1,5}(?:\.\d{1,3})?)?$/.test(range)
  const metric = coded && metricOf(Number(coded.code), coded.name)
  const isTrue = 'value' in read && unit !== undefined && implausible(metric, read.value, unit) === undefined
  return { ...(isTrue && { value: read.value, unit }), ...(isRange && { limits: range }) }
}

interface Now {
  readonly phase: Phase | undefined
  readonly state: (typeof states)[number] | undefined
  readonly time: number
}

/**
 * Which alert this is. Updates name the start in OBR-29; a sender that gives every message a number of its own and names
 * no parent is known by where it is and kind of alert. A start told twice is an update, an update of nothing known a start.
 */
function thread(
  { draft, pseudonyms, time: received }: Reading,
  { order }: Group,
  where: string,
  kind: string,
  now: Now,
) {
  const filler = order?.field(3).component() ?? ''
  const parent = [order?.field(29).component(2, 1), order?.field(29).component(1, 1)].find(
    t => t !== undefined && t !== '',
  )
  const digest = (text: string): string =>
    pseudonyms?.of('alert', `${where}\0${text}`, received) ??
    createHash('sha256').update(`${where}\0${kind}\0${now.time}`).digest('base64url').slice(0, 20)
  const keys = [...[parent, filler].filter(t => t !== undefined && t !== '').map(t => digest(t!)), `${where}|${kind}`]
  const known = keys.map(key => draft.alerts.get(key)).find(alert => alert !== undefined)
  const id = known?.id ?? digest(parent ?? (filler === '' ? `${kind}\0${now.time}` : filler))
  const isOver = now.phase === 'end' ? now.state !== 'latched' : now.state === 'inactive' || now.state === 'off'
  const phase: Phase = isOver ? 'end' : known === undefined ? 'start' : 'update'
  for (const key of new Set([...keys.slice(0, -1), `${where}|${kind}`, id])) {
    if (isOver) draft.alerts.delete(key)
    else draft.alerts.set(key, { id, since: known?.since ?? now.time, state: now.state ?? 'active' })
  }
  return { id, phase }
}
