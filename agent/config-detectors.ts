// What must fit between the detectors of an edge's configuration and the edge: it judges its own series, and nothing else.

import type { Part } from '../core/parts.ts'
import { isMap, type Place } from '../core/shape.ts'
import type { DetectorType } from '../judge/detector.ts'
import { selectsNode } from '../judge/select.ts'
import type { EdgeConfig } from './config.ts'

export function checkDetectors(
  { detectors, node }: Pick<EdgeConfig, 'detectors' | 'node'>,
  kinds: readonly DetectorType<unknown>[],
  place: Place,
): void {
  for (const [n, part] of detectors.entries()) checkDetector(part, node, kinds, place.at(n))
}

function checkDetector(
  { type, name, options }: Part,
  node: string,
  kinds: readonly DetectorType<unknown>[],
  place: Place,
): void {
  const { scope } = kinds.find(kind => kind.name === type)!.open(options)
  if (scope === 'node')
    place.wrong(
      `${name}: this judges whether a node is heard at all, which only a collector can; an edge judges its series (for silence give a metric)`,
    )
  const of = isMap(options) && typeof options.node === 'string' ? options.node : undefined
  if (!selectsNode({ node: of })(node))
    place.at('node').wrong(`${name}: this node is ${node}, and an edge judges its own series only`)
}
