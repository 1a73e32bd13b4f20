// ORU^R01 and its like: each OBX becomes a sample, an event, or nothing and the reason why. Devices of IHE PCD-01 and
// results of laboratories alike.

import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import type { Clock } from './clock.ts'
import { type Coded, nameOf } from './coded.ts'
import { Containment, type Node, nodeOf } from './containment.ts'
import type { Group } from './groups.ts'
import { type Finding, measure } from './measure.ts'
import { metricOf } from './metrics.ts'
import { attributesAt, type Place, type Reading } from './subject.ts'
import { eventOf, tellChange } from './told.ts'
import { mapWaveforms, waveformNodes } from './waveforms.ts'

export interface Mapped {
  readonly samples: readonly Sample[]
  readonly events: readonly Event[]
}

export function mapObservations(reading: Reading, group: Group, place: Place, clock: Clock): Mapped {
  const nodes = group.observations.map(s => nodeOf(s, reading.words))
  const tree = new Containment(nodes)
  const waves = new Set(waveformNodes(nodes, tree))
  const samples = new Samples()
  for (const sample of mapWaveforms(reading, nodes, tree, group, place, clock)) samples.add(sample)
  const events: Event[] = []
  const lacksStatus = neverHasStatus(group)
  events.push(...tellSetIds(reading, group, place))
  const plain = nodes.filter(node => !waves.has(node) && !isContainer(node))
  const places = placesOf(plain, tree, reading)
  const about = aboutMemo(reading, place)
  for (const node of plain) {
    const { coded } = node
    if (coded === undefined) {
      events.push(...tellUnknown(reading, node, place))
      continue
    }
    const time = clock.of(node, tree, group.order)
    const finding = findingOf(node, coded, about(time), places.get(node) ?? {}, place)
    const { sample, events: told } = measure(reading, finding, lacksStatus)
    if (sample !== undefined && !samples.add(sample)) events.push(contradicted(sample))
    events.push(...told)
  }
  return { samples: samples.all(), events }
}

/** MDS, VMD and channel: they have no value of their own. */
function isContainer({ segment, coded, parts, depth }: Node): boolean {
  if (coded?.name.startsWith('MDC_DEV_')) return true
  return depth > 1 && parts.length < depth && segment.field(5).isEmpty
}

interface About {
  readonly time: number
  readonly attributes: Attributes
  readonly key: string
}

/** Most observations of a message are of one time. */
function aboutMemo(reading: Reading, place: Place): (time: number) => About {
  let last: About | undefined
  return time => {
    if (last?.time === time) return last
    const attributes = attributesAt(reading, place, time)
    last = { time, attributes, key: Object.values(attributes).join('|') }
    return last
  }
}

function findingOf(node: Node, coded: Coded, about: About, within: Attributes, { device, bed }: Place): Finding {
  const name = nameOf(coded)
  const isNumbered = coded.system === 'mdc' && coded.code !== '0'
  const { vmd = '', channel = '', of = '', site = '', instance = '' } = within
  const where = `${name}|${vmd}|${channel}|${of}|${site}|${instance}`
  return {
    node,
    coded,
    metric: coded.system === 'mdc' ? metricOf(Number(coded.code), coded.name) : undefined,
    name,
    time: about.time,
    key: `${where}|${device ?? ''}|${bed ?? ''}`,
    seriesKey: `${where}|${about.key}`,
    get attributes() {
      return { ...about.attributes, ...within, ...(isNumbered && { mdc: Number(coded.code) }) }
    },
  }
}

/**
 * Where in the device each stands: VMD and channel by their names, the metric of a facet, the body site. Two probes of one
 * kind are two series: their places in OBX-4, or their order, tell them apart.
 */
function placesOf(nodes: readonly Node[], tree: Containment, reading: Reading): ReadonlyMap<Node, Attributes> {
  const places = new Map<Node, Attributes>()
  const alike = new Map<string, Node[]>()
  for (const node of nodes) {
    if (node.coded === undefined) continue
    const place = within(tree, node, reading)
    places.set(node, place)
    const key = [nameOf(node.coded), ...Object.values(place)].join('|')
    const same = alike.get(key)
    if (same === undefined) alike.set(key, [node])
    else same.push(node)
  }
  for (const same of alike.values()) {
    if (same.length === 1 || new Set(same.map(n => n.key)).size === 1) continue
    for (const [n, node] of same.entries()) {
      const instance = node.parts.slice(1).join('.') || `${n + 1}`
      places.set(node, { ...places.get(node), instance })
    }
  }
  return places
}

function within(tree: Containment, node: Node, { words }: Reading): Attributes {
  const of = (level: number): string | undefined => {
    const coded = tree.at(node, level)?.coded
    return coded && nameOf(coded)
  }
  const [vmd, channel, metric] = [of(2), of(3), of(4)]
  const body = node.segment.field(20)
  const site = body.isEmpty ? undefined : words.coded(body)
  return {
    ...(vmd !== undefined && { vmd }),
    ...(channel !== undefined && { channel }),
    ...(metric !== undefined && { of: metric }),
    ...(site !== undefined && { site: nameOf(site) }),
  }
}

/** A sender that marks every value with X has no use for the field: then it says nothing. Two values at least tell so. */
function neverHasStatus({ observations }: Group): boolean {
  const valued = observations.filter(s => ['NM', 'SN'].includes(s.field(2).component()) && !s.field(5).isEmpty)
  return valued.length >= 2 && valued.every(s => s.field(11).component() === 'X')
}

/** OBX-1 numbers the observations of an order, 1, 2, 3 (7.4.2.1). They are told apart by OBX-4 and OBX-3 all the same. */
function tellSetIds(reading: Reading, { observations }: Group, place: Place): readonly Event[] {
  const ids = observations.map(s => s.field(1).component())
  const isMissing = ids.includes('')
  const reason = isMissing ? 'missing' : new Set(ids).size < ids.length ? 'repeated' : undefined
  const { time, draft } = reading
  const key = `set|${place.device ?? place.bed ?? ''}`
  if (reason === undefined && draft.told.get(key) === undefined) return []
  const begin = { name: 'hl7.set-id.wrong', severity: 'info', time, attributes: { reason: reason ?? '' } } as const
  const end = { name: 'hl7.set-id.right', severity: 'info', time } as const
  return tellChange(draft.told, key, reason, { begin, end }, { attributes: attributesAt(reading, place, time) })
}

/** What OBX-3 holds is no code that may leave, so neither it nor its value is told. */
function tellUnknown(reading: Reading, { segment, key }: Node, place: Place): readonly Event[] {
  const { draft, time } = reading
  const reason = segment.field(3).isEmpty ? 'no code' : 'a code of no system that may leave'
  const begin = { name: 'hl7.observation.no_value', severity: 'info', time, attributes: { reason } } as const
  const subject = { attributes: attributesAt(reading, place, time) }
  return tellChange(
    draft.told,
    `code|${place.device ?? ''}|${segment.field(3).text || key}`,
    reason,
    { begin },
    subject,
  )
}

/** A series has one value a time: what is told twice is kept once, and what contradicts itself not at all. */
class Samples {
  readonly #kept = new Map<Series, Map<number, Sample | undefined>>()

  /** False where the message says another value for the same. */
  add(sample: Sample): boolean {
    const { series, time, value } = sample
    let times = this.#kept.get(series)
    if (times === undefined) {
      times = new Map()
      this.#kept.set(series, times)
    }
    const isOther = times.has(time) && times.get(time)?.value !== value
    times.set(time, isOther ? undefined : sample)
    return !isOther
  }

  all(): readonly Sample[] {
    return [...this.#kept.values()].flatMap(times => [...times.values()]).filter(s => s !== undefined)
  }
}

function contradicted({ series, time }: Sample): Event {
  const reason = 'two values for one time'
  const attributes = { metric: series.name, reason }
  return eventOf({ name: 'hl7.observation.no_value', severity: 'warning', time, attributes }, series)
}
