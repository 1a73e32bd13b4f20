// How the observations of an order stand to one another: which are waveforms and which containers, and where in the
// device each stands. It follows from their types, codes and places alone, so that of the messages that a device sends
// every second it is worked out once.

import type { Attributes } from '../../core/model.ts'
import { nameOf } from './coded.ts'
import { Containment, type Node, nodeOf, type Spot } from './containment.ts'
import type { Words } from './lexicon.ts'
import { own } from './own.ts'
import type { Segment } from './segment.ts'
import { waveformNodes } from './waveforms.ts'

export interface Layout {
  /** Of each observation, in their order. */
  readonly spots: readonly Spot[]
  /** The MDS, which stands for the whole device. */
  readonly mds: number | undefined
  readonly hasWaveforms: boolean
  /** Observations of a value each; the others are waveforms, what belongs to them, and containers. */
  readonly plain: readonly Plain[]
}

export interface Plain {
  /** Which observation of the order. */
  readonly n: number
  /** VMD, channel, metric of a facet, body site, and what tells two probes of one kind apart. */
  readonly within: Attributes
  /** By which its series is told from others of the device. */
  readonly where: string
}

interface Known {
  readonly observations: readonly Written[]
  readonly layout: Layout
}

/** All of an observation that its layout follows from. */
interface Written {
  readonly type: string
  readonly code: string
  readonly place: string
  readonly site: string
  readonly isEmpty: boolean
}

/** Layouts remembered, of them such as begin alike, and observations of the longest. */
const most = 500
const mostAlike = 8
const longest = 500

/** Of one way to delimit. */
export function layouts(words: Pick<Words, 'coded'>): (observations: readonly Segment[]) => Layout {
  const known = new Map<string, Known[]>()
  return observations => {
    const [first] = observations
    const beginning = first === undefined ? '' : `${observations.length} ${first.field(4).text} ${first.field(3).text}`
    const alike = known.get(beginning) ?? []
    const before = alike.find(one => fits(one, observations))
    if (before !== undefined) return before.layout
    const layout = layoutOf(observations, words)
    if (observations.length > longest) return layout
    if (known.size >= most) known.clear()
    known.set(own(beginning), [{ observations: observations.map(written), layout }, ...alike].slice(0, mostAlike))
    return layout
  }
}

function written(segment: Segment): Written {
  const [type, code, place, site] = [2, 3, 4, 20].map(n => own(segment.field(n).text)) as [
    string,
    string,
    string,
    string,
  ]
  return { type, code, place, site, isEmpty: segment.field(5).isEmpty }
}

function fits({ observations }: Known, segments: readonly Segment[]): boolean {
  for (let n = 0; n < segments.length; n++) {
    const [one, segment] = [observations[n]!, segments[n]!]
    const isSame =
      one.place === segment.field(4).text &&
      one.code === segment.field(3).text &&
      one.type === segment.field(2).text &&
      one.site === segment.field(20).text &&
      one.isEmpty === segment.field(5).isEmpty
    if (!isSame) return false
  }
  return true
}

function layoutOf(observations: readonly Segment[], words: Pick<Words, 'coded'>): Layout {
  const nodes = observations.map(segment => nodeOf(segment, words))
  const tree = new Containment(nodes)
  const waves = new Set(waveformNodes(nodes, tree))
  const plain = nodes.filter(node => !waves.has(node) && !isContainer(node))
  const places = placesOf(plain, tree, words)
  const mds = nodes.findIndex(({ coded }) => coded?.name.endsWith('_MDS'))
  return {
    spots: nodes.map(({ segment: _, ...spot }) => spot),
    mds: mds < 0 ? undefined : mds,
    hasWaveforms: waves.size > 0,
    plain: plain.map(node => {
      const within = places.get(node) ?? {}
      return { n: nodes.indexOf(node), within, where: whereOf(node, within) }
    }),
  }
}

/** MDS, VMD and channel: they have no value of their own. */
function isContainer({ segment, coded, parts, depth }: Node): boolean {
  if (coded?.name.startsWith('MDC_DEV_')) return true
  return depth > 1 && parts.length < depth && segment.field(5).isEmpty
}

function whereOf({ coded }: Node, { vmd = '', channel = '', of = '', site = '', instance = '' }: Attributes): string {
  return coded === undefined ? '' : `${nameOf(coded)}|${vmd}|${channel}|${of}|${site}|${instance}`
}

/**
 * Where in the device each stands: VMD and channel by their names, the metric of a facet, the body site. Two probes of one
 * kind are two series: their places in OBX-4, or their order, tell them apart.
 */
function placesOf(
  nodes: readonly Node[],
  tree: Containment,
  words: Pick<Words, 'coded'>,
): ReadonlyMap<Node, Attributes> {
  const places = new Map<Node, Attributes>()
  const alike = new Map<string, Node[]>()
  for (const node of nodes) {
    if (node.coded === undefined) continue
    const place = within(tree, node, words)
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

function within(tree: Containment, node: Node, words: Pick<Words, 'coded'>): Attributes {
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
