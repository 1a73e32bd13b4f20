// What things are called in Sparkplug: topics (Sparkplug 3.0.0, 4.1), devices and metrics (6.4.2).

import type { Attributes } from '../../core/model.ts'
import { matching } from '../../core/shape.ts'
import { distinguishing } from '../uplinks/template.ts'

const namespace = 'spBv1.0'

/**
 * A group, edge node or host. Not `+`, `/`, `#` (clauses topic-structure-namespace-valid-*), nor what MQTT forbids in a
 * topic, and as a group not what would read as a host's state.
 */
export const id = matching(
  /^(?!STATE$)[^+/#\p{Cc}\p{Cs}\ufffe\uffff]{1,128}$/u,
  'a Sparkplug name: at most 128 characters, none of them +, / or #, and not STATE',
)

export type Verb = 'NBIRTH' | 'NDATA' | 'NDEATH' | 'NCMD' | 'DBIRTH' | 'DDATA' | 'DDEATH' | 'DCMD'

export interface Node {
  readonly group: string
  readonly edge: string
}

/** `device` for the verbs that begin with D alone. */
export function topicOf({ group, edge }: Node, verb: Verb, device?: string): string {
  const node = `${namespace}/${group}/${verb}/${edge}`
  return device === undefined ? node : `${node}/${device}`
}

/** The device of a DCMD's topic; undefined for an NCMD. */
export function deviceIn(topic: string): string | undefined {
  return topic.split('/')[4]
}

export function stateTopic(host: string): string {
  return `${namespace}/STATE/${host}`
}

/** A value as a device's name. The names of two devices never differ by what is replaced here alone, see Catalogue. */
export function safeId(value: string): string {
  return value
    .slice(0, 128)
    .toWellFormed()
    .replaceAll(/[+/#\p{Cc}\ufffe\uffff]/gu, '_')
}

/** `press.oil.temperature` with `sensor=2` is `press/oil/temperature/sensor=2`: folders, then all attributes but those that are `hidden`. */
export function metricName(name: string, attributes: Attributes, hidden: readonly string[]): string {
  const own = name.toWellFormed().split('.')
  const rest = distinguishing(attributes, hidden).map(text => text.toWellFormed().replaceAll('/', '_'))
  return [...own, ...rest].join('/')
}
