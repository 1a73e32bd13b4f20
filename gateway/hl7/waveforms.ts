// Waveforms: ORU^W01 and the NA observations of IHE PCD (WCM), whose facets name rate and resolution, and the older
// form of HL7, whose channels a CD observation defines (v2.8.2, 7.14). Told as features of each piece, and as samples
// only where the configuration asks for them.

import type { Sample, Series } from '../../core/model.ts'
import type { Clock } from './clock.ts'
import { nameOf } from './coded.ts'
import type { Containment, Node } from './containment.ts'
import { featuresOf } from './features.ts'
import type { Group } from './groups.ts'
import type { Words } from './lexicon.ts'
import type { Field, Segment } from './segment.ts'
import { readNumber } from './sentinels.ts'
import { attributesAt, numberIn, type Place, type Reading } from './subject.ts'
import { unitOf } from './units.ts'

/** Values of one observation. */
const most = 100_000
/** Hz */
const fastest = 100_000

interface Channel {
  readonly rate: number | undefined
  /** One digit of the values, in the unit. */
  readonly resolution: number
  readonly unit: string | undefined
  /** Values that mark an interruption. */
  readonly marks: ReadonlySet<number>
}

/** The n-th value of a piece, from 0, in the unit. */
interface Point {
  readonly n: number
  readonly value: number
}

interface Wave extends Channel {
  readonly node: Node
  readonly values: readonly string[]
}

const definers = ['CD', 'TS', 'TQ']

/** The observations that belong to waveforms. */
export function waveformNodes(nodes: readonly Node[], tree: Containment): readonly Node[] {
  const arrays = nodes.filter(isArray)
  if (arrays.length === 0) return []
  const facets = arrays.flatMap(node => tree.facets(node))
  const channels = nodes.filter(n => definers.includes(typeOf(n.segment)) && tree.facets(n).length === 0)
  return [...arrays, ...facets, ...channels]
}

function isArray({ segment }: Node): boolean {
  return ['NA', 'MA'].includes(typeOf(segment))
}

function typeOf(segment: Segment): string {
  return segment.field(2).component().trim()
}

export function mapWaveforms(
  reading: Reading,
  nodes: readonly Node[],
  tree: Containment,
  group: Group,
  place: Place,
  clock: Clock,
): readonly Sample[] {
  if (reading.options.waveforms === 'off') return []
  const samples: Sample[] = []
  for (const wave of wavesOf(reading.words, nodes, tree)) {
    const { coded } = wave.node
    if (coded === undefined) continue
    const time = clock.of(wave.node, tree, group.order)
    const points = numbersOf(wave, reading)
    if (points.length > 0) samples.push(...told(reading, nameOf(coded), wave, points, place, time))
  }
  return samples
}

function* wavesOf(words: Words, nodes: readonly Node[], tree: Containment): Generator<Wave> {
  let channels: readonly Channel[] = []
  for (const node of nodes) {
    const type = typeOf(node.segment)
    if (type === 'CD') channels = channelsOf(node.segment.field(5))
    if (type === 'NA')
      yield { node, ...channelOf(words, node, tree, channels[0]), values: arrayOf(node.segment.field(5)) }
    // Of several channels each has its own OBX-3 only in the definition: the first is the observation's own.
    if (type === 'MA')
      yield { node, ...channelOf(words, node, tree, channels[0]), values: firstOfEach(node.segment.field(5)) }
  }
}

/** From the facets of a metric, IHE PCD: rate, resolution, mark of what is invalid. */
function channelOf(words: Words, node: Node, tree: Containment, defined: Channel | undefined): Channel {
  const facets = tree.facets(node)
  const facet = (pattern: RegExp): Segment | undefined =>
    facets.find(f => pattern.test(`${f.segment.field(3).component(1)} ${f.segment.field(3).component(2)}`))?.segment
  const resolution = facet(/MDC_ATTR_NU_MSMT_RES/)
  const mark = facetNumber(facet(/MDC_EVT_INOP|MDC_ATTR_INVALID/))
  const rate = facetNumber(facet(/MDC_ATTR_SAMP_RATE/)) ?? defined?.rate
  const unit = resolution === undefined ? undefined : words.unit(resolution.field(6))
  const own = words.unit(node.segment.field(6))
  return {
    rate: rate !== undefined && rate > 0 && rate <= fastest ? rate : undefined,
    resolution: facetNumber(resolution) ?? defined?.resolution ?? 1,
    unit: unit ?? own ?? defined?.unit,
    marks: new Set(mark === undefined ? [] : [mark]),
  }
}

/** CD, 2.A.14: identifier, source, sensitivity and units, calibration, sampling frequency, range; a repetition a channel. */
function channelsOf(field: Field): readonly Channel[] {
  return Array.from({ length: Math.min(field.repetitions, 100) }, (_, n) => {
    const of = (component: number, sub: number): string => field.component(component, sub, n + 1)
    const rate = plain(of(5, 1))
    const unit = unitOf({
      code: of(3, 2),
      name: of(3, 3),
      system: of(3, 4),
      alternateCode: '',
      alternateName: '',
      alternateSystem: '',
    })
    return { rate, resolution: plain(of(3, 1)) ?? 1, unit, marks: new Set<number>() }
  })
}

function arrayOf(field: Field): readonly string[] {
  const values: string[] = []
  for (let r = 1; r <= Math.min(field.repetitions, most); r++) {
    for (const text of field.parts(r)) {
      if (values.length >= most) return values
      values.push(text)
    }
  }
  return values
}

function firstOfEach(field: Field): readonly string[] {
  return Array.from({ length: Math.min(field.repetitions, most) }, (_, n) => field.component(1, 1, n + 1))
}

function facetNumber(segment: Segment | undefined): number | undefined {
  return segment === undefined ? undefined : plain(segment.field(5).component())
}

function plain(text: string): number | undefined {
  const read = readNumber(text, new Set())
  return 'value' in read ? read.value : undefined
}

/** Digits of a converter have small values of any kind: only what lies at the ends of 16 bits and beyond is a sentinel. */
function numbersOf({ values, marks, resolution }: Wave, reading: Reading): readonly Point[] {
  const ends = new Set([...reading.sentinels].filter(s => Math.abs(s) >= 32_767))
  return values.flatMap((text, n) => {
    const read = numberIn(reading, text, ends)
    return 'value' in read && !marks.has(read.value) ? [{ n, value: read.value * resolution }] : []
  })
}

function told(
  reading: Reading,
  name: string,
  { rate, unit = '1' }: Wave,
  points: readonly Point[],
  place: Place,
  time: number,
): readonly Sample[] {
  const attributes = attributesAt(reading, place, time)
  const about = Object.values(attributes).join('|')
  const seriesOf = (what: string, of: string): Series => {
    const make = (): Series => ({ name: `${name}${what}`, unit: of, kind: 'gauge', attributes })
    return reading.draft.series(`wave|${name}${what}|${of}|${about}`, make)
  }
  const gauge = (what: string, of: string, value: number): Sample => ({ series: seriesOf(what, of), time, value })
  const { count, min, max, mean, rms, dominant } = featuresOf(
    points.map(p => p.value),
    rate,
  )
  const features = [
    gauge('.min', unit, min),
    gauge('.max', unit, max),
    gauge('.mean', unit, mean),
    gauge('.rms', unit, rms),
    gauge('.samples', '{sample}', count),
    ...(rate === undefined ? [] : [gauge('.sample_rate', 'Hz', rate)]),
    ...(dominant === undefined ? [] : [gauge('.dominant_frequency', 'Hz', dominant)]),
  ]
  if (reading.options.waveforms !== 'raw' || rate === undefined) return features
  const series = seriesOf('', unit)
  return [...features, ...points.map(({ n, value }) => ({ series, time: time + Math.round((n * 1000) / rate), value }))]
}
