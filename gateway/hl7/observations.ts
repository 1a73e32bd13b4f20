// ORU^R01 and its like: each OBX becomes a sample, an event, or nothing and the reason why. Devices of IHE PCD-01 and
// results of laboratories alike.

import type { Attributes, Event, Sample } from '../../core/model.ts'
import type { Clock } from './clock.ts'
import { type Coded, nameOf, readCoded } from './coded.ts'
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
  const nodes = group.observations.map(nodeOf)
  const tree = new Containment(nodes)
  const waves = new Set(waveformNodes(nodes, tree))
  const samples = new Samples()
  for (const sample of mapWaveforms(reading, nodes, tree, group, place, clock)) samples.add(sample)
  const events: Event[] = []
  const lacksStatus = neverHasStatus(group)
  const names = instances(nodes, tree, reading)
  for (const node of nodes) {
    if (waves.has(node) || isContainer(node)) continue
    const coded = readCoded(node.segment.field(3), reading.local)
    if (coded === undefined) {
      events.push(...tellUnknown(reading, node, place))
      continue
    }
    const time = clock.of(node, tree, group.order)
    const finding = findingOf(reading, tree, node, coded, time, place, names.get(node))
    const { sample, events: told } = measure(reading, finding, lacksStatus)
    if (sample !== undefined && !samples.add(sample)) events.push(contradicted(sample))
    events.push(...told)
  }
  return { samples: samples.all(), events }
}

/** MDS, VMD and channel: they have no value of their own. */
function isContainer({ segment, key, depth }: Node): boolean {
  const isZero = depth > 1 && key.split('.').length < depth
  const names = [segment.field(3).component(1), segment.field(3).component(2)]
  return names.some(n => /^MDC_DEV_/.test(n)) || (isZero && segment.field(5).isEmpty)
}

function findingOf(
  reading: Reading,
  tree: Containment,
  node: Node,
  coded: Coded,
  time: number,
  place: Place,
  instance: string | undefined,
): Finding {
  const name = nameOf(coded)
  const attributes: Attributes = {
    ...attributesAt(reading, place, time),
    ...within(tree, node, reading),
    ...(coded.system === 'mdc' && coded.code !== '0' && { mdc: Number(coded.code) }),
    ...(instance !== undefined && { instance }),
  }
  const { patient: _, visit: __, bed: ___, ...lasting } = attributes
  const metric = coded.system === 'mdc' ? metricOf(Number(coded.code), coded.name) : undefined
  return { node, coded, metric, name, time, attributes, key: `${name}|${JSON.stringify(lasting)}|${place.bed ?? ''}` }
}

/** VMD and channel by their names, the metric of a facet, the body site. */
function within(tree: Containment, node: Node, { local }: Reading): Attributes {
  const of = (level: number): string | undefined => {
    const container = tree.at(node, level)
    const coded = container && readCoded(container.segment.field(3), local)
    return coded && nameOf(coded)
  }
  const [vmd, channel, metric] = [of(2), of(3), of(4)]
  const site = readCoded(node.segment.field(20), local)
  return {
    ...(vmd !== undefined && { vmd }),
    ...(channel !== undefined && { channel }),
    ...(metric !== undefined && { of: metric }),
    ...(site !== undefined && { site: nameOf(site) }),
  }
}

/** Two probes of one kind are two series: their places in OBX-4, or their order, tell them apart. */
function instances(nodes: readonly Node[], tree: Containment, reading: Reading): ReadonlyMap<Node, string> {
  const alike = new Map<string, Node[]>()
  for (const node of nodes) {
    if (isContainer(node)) continue
    const coded = readCoded(node.segment.field(3), reading.local)
    if (coded === undefined) continue
    const key = `${nameOf(coded)}|${JSON.stringify(within(tree, node, reading))}`
    const same = alike.get(key)
    if (same === undefined) alike.set(key, [node])
    else same.push(node)
  }
  const several = [...alike.values()].filter(same => new Set(same.map(n => n.key)).size > 1)
  return new Map(
    several.flatMap(same => same.map((node, n) => [node, node.key.split('.').slice(1).join('.') || `${n + 1}`])),
  )
}

/** A sender that marks every value with X has no use for the field: then it says nothing. Two values at least tell so. */
function neverHasStatus({ observations }: Group): boolean {
  const valued = observations.filter(s => ['NM', 'SN'].includes(s.field(2).component()) && !s.field(5).isEmpty)
  return valued.length >= 2 && valued.every(s => s.field(11).component() === 'X')
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
  readonly #kept = new Map<string, Sample | undefined>()

  /** False where the message says another value for the same. */
  add(sample: Sample): boolean {
    const { series, time, value } = sample
    const key = `${time}|${series.name}|${series.unit}|${JSON.stringify(series.attributes)}`
    const isOther = this.#kept.has(key) && this.#kept.get(key)?.value !== value
    this.#kept.set(key, isOther ? undefined : sample)
    return !isOther
  }

  all(): readonly Sample[] {
    return [...this.#kept.values()].filter(s => s !== undefined)
  }
}

function contradicted({ series, time }: Sample): Event {
  const reason = 'two values for one time'
  const attributes = { metric: series.name, reason }
  return eventOf({ name: 'hl7.observation.no_value', severity: 'warning', time, attributes }, series)
}
