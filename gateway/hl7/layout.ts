// How the observations of an order stand to one another: which are waveforms and which containers, and where in the
// device each stands. It follows from their types, codes and places alone, so that of the messages that a device sends
// every second it is worked out once.

import type { Attributes } from '../../core/model.ts'
import { nameOf } from './coded.ts'
import { Containment, type Node, nodeOf, type Spot } from './containment.ts'
import type { Words } from './lexicon.ts'
import type { Segment } from './segment.ts'
import { waveformNodes } from './waveforms.ts'

export interface Layout {
  /** Of each observation, in their order. */
  readonly spots: readonly Spot[]
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

/** Layouts remembered, and characters of what each is known by. */
const most = 500
const longest = 32_768

/** Of one way to delimit. */
export function layouts(words: Pick<Words, 'coded'>): (observations: readonly Segment[], separator: string) => Layout {
  const known = new Map<string, Layout>()
  return (observations, separator) => {
    let key = ''
    for (const segment of observations) key += `${keyOf(segment, separator)}${separator}`
    const before = known.get(key)
    if (before !== undefined) return before
    const layout = layoutOf(observations, words)
    if (known.size >= most) known.clear()
    if (key.length <= longest) known.set(key, layout)
    return layout
  }
}

function keyOf(segment: Segment, separator: string): string {
  const [type, code, place, site] = [segment.field(2), segment.field(3), segment.field(4), segment.field(20)]
  const isEmpty = segment.field(5).isEmpty ? '' : '1'
  return `${type.text}${separator}${code.text}${separator}${place.text}${separator}${site.text}${separator}${isEmpty}`
}

function layoutOf(observations: readonly Segment[], words: Pick<Words, 'coded'>): Layout {
  const nodes = observations.map(segment => nodeOf(segment, words))
  const tree = new Containment(nodes)
  const waves = new Set(waveformNodes(nodes, tree))
  const plain = nodes.filter(node => !waves.has(node) && !isContainer(node))
  const places = placesOf(plain, tree, words)
  return {
    spots: nodes.map(({ segment: _, ...spot }) => spot),
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
