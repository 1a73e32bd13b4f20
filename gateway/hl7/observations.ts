// ORU^R01 and its like: each OBX becomes a sample, an event, or nothing and the reason why. Devices of IHE PCD-01 and
// results of laboratories alike.

import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import type { Clock } from './clock.ts'
import { Containment, type Node, nodeAt } from './containment.ts'
import type { Group } from './groups.ts'
import { measure } from './measure.ts'
import type { Segment } from './segment.ts'
import type { About, Standings } from './standing.ts'
import { attributesAt, type Place, type Reading } from './subject.ts'
import { eventOf, tellChange } from './told.ts'
import { mapWaveforms } from './waveforms.ts'

export interface Mapped {
  readonly samples: readonly Sample[]
  readonly events: readonly Event[]
}

export function mapObservations(reading: Reading, group: Group, place: Place, clock: Clock): Mapped {
  const { spots, plain, hasWaveforms } = reading.words.layout(group.observations)
  const nodes = group.observations.map((segment, n) => nodeAt(spots[n]!, segment))
  const tree = new Containment(nodes)
  const samples = new Samples()
  if (hasWaveforms) for (const sample of mapWaveforms(reading, nodes, tree, group, place, clock)) samples.add(sample)
  const events = [...tellSetIds(reading, group, place)]
  const lacksStatus = neverHasStatus(group)
  const standingAt = standingsMemo(reading, place)
  for (const one of plain) {
    const node = nodes[one.n]!
    if (node.coded === undefined) {
      events.push(...tellUnknown(reading, node, place))
      continue
    }
    const time = clock.of(node, tree, group.order)
    const finding = { segment: node.segment, time, standing: standingAt(time)(one, node.coded) }
    const { sample, events: told } = measure(reading, finding, lacksStatus)
    if (sample !== undefined && !samples.add(sample)) events.push(contradicted(sample))
    if (told.length > 0) events.push(...told)
  }
  return { samples: samples.all(), events }
}

/** Most observations of a message are of one time. */
function standingsMemo(reading: Reading, place: Place): (time: number) => ReturnType<Standings['of']> {
  let last: { readonly time: number; readonly of: ReturnType<Standings['of']> } | undefined
  return time => {
    if (last?.time === time) return last.of
    last = { time, of: reading.standings.of(aboutOf(attributesAt(reading, place, time), place)) }
    return last.of
  }
}

/** One sender may tell of many patients; a device's states are its own, whoever lies there. */
function aboutOf(attributes: Attributes, { device, instrument, bed }: Place): About {
  const memory = `${device ?? ''}|${instrument === undefined ? (attributes.patient ?? '') : ''}|${bed ?? ''}`
  return { attributes, memory, key: `${memory}|${Object.values(attributes).join('|')}` }
}

/** A sender that marks every value with X has no use for the field: then it says nothing. Two values at least tell so. */
function neverHasStatus({ observations }: Group): boolean {
  let valued = 0
  for (const segment of observations) {
    if (!hasNumber(segment)) continue
    if (segment.field(11).component() !== 'X') return false
    valued++
  }
  return valued >= 2
}

function hasNumber(segment: Segment): boolean {
  const type = segment.field(2).component()
  return (type === 'NM' || type === 'SN') && !segment.field(5).isEmpty
}

/** OBX-1 numbers the observations of an order, 1, 2, 3 (7.4.2.1). They are told apart by OBX-4 and OBX-3 all the same. */
function tellSetIds(reading: Reading, { observations }: Group, place: Place): readonly Event[] {
  const reason = observations.every((s, n) => s.field(1).component() === `${n + 1}`) ? undefined : fault(observations)
  const { time, draft } = reading
  const key = `set|${place.device ?? reading.sender}`
  if (reason === undefined && draft.told.get(key) === undefined) return []
  const begin = { name: 'hl7.set-id.wrong', severity: 'info', time, attributes: { reason: reason ?? '' } } as const
  const end = { name: 'hl7.set-id.right', severity: 'info', time } as const
  return tellChange(draft.told, key, reason, { begin, end }, { attributes: attributesAt(reading, place, time) })
}

function fault(observations: readonly Segment[]): string | undefined {
  const ids = observations.map(s => s.field(1).component())
  if (ids.includes('')) return 'missing'
  return new Set(ids).size < ids.length ? 'repeated' : undefined
}

/** What OBX-3 holds is no code that may leave, so neither it nor its value is told. */
function tellUnknown(reading: Reading, { segment, key }: Node, place: Place): readonly Event[] {
  const { draft, time } = reading
  const reason = segment.field(3).isEmpty ? 'no code' : 'a code of no system that may leave'
  const begin = { name: 'hl7.observation.no_value', severity: 'info', time, attributes: { reason } } as const
  const subject = { attributes: attributesAt(reading, place, time) }
  return tellChange(
    draft.told,
    `code|${place.device ?? reading.sender}|${segment.field(3).text || key}`,
    reason,
    { begin },
    subject,
  )
}

/** A series has one value a time: what is told twice is kept once, and what contradicts itself not at all. */
class Samples {
  /** Of a series its first value, or all of them by their times. */
  readonly #kept = new Map<Series, Sample | Map<number, Sample | undefined>>()

  /** False where the message says another value for the same. */
  add(sample: Sample): boolean {
    const { series, time, value } = sample
    const before = this.#kept.get(series)
    if (before === undefined) {
      this.#kept.set(series, sample)
      return true
    }
    const times = before instanceof Map ? before : new Map<number, Sample | undefined>([[before.time, before]])
    const isOther = times.has(time) && times.get(time)?.value !== value
    times.set(time, isOther ? undefined : sample)
    this.#kept.set(series, times)
    return !isOther
  }

  all(): readonly Sample[] {
    const all: Sample[] = []
    for (const one of this.#kept.values()) {
      if (!(one instanceof Map)) all.push(one)
      else for (const sample of one.values()) if (sample !== undefined) all.push(sample)
    }
    return all
  }
}

function contradicted({ series, time }: Sample): Event {
  const reason = 'two values for one time'
  const attributes = { metric: series.name, reason }
  return eventOf({ name: 'hl7.observation.no_value', severity: 'warning', time, attributes }, series)
}
