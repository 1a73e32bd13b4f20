// Which fields are asked for of each event, and what they mean (OPC 10000-9, 5.5 to 5.8; OPC 10000-5, 6.4.2).

import type { NodeId, Variant } from 'node-opcua-client'
import type { Condition } from './conditions.ts'
import type { Library } from './library.ts'

/** Type definitions, OPC 10000-6, Annex A. */
const types = { event: 2041, condition: 2782, acknowledgeable: 2881, alarm: 2915, exclusiveLimit: 9341 } as const

/** The path below the type that defines it; the empty one is the node id of the condition itself (OPC 10000-9, 5.5.2). */
const fields = {
  type: ['event', 'EventType'],
  sourceName: ['event', 'SourceName'],
  time: ['event', 'Time'],
  message: ['event', 'Message'],
  severity: ['event', 'Severity'],
  id: ['condition'],
  name: ['condition', 'ConditionName'],
  branch: ['condition', 'BranchId'],
  retain: ['condition', 'Retain'],
  acked: ['acknowledgeable', 'AckedState', 'Id'],
  confirmed: ['acknowledgeable', 'ConfirmedState', 'Id'],
  active: ['alarm', 'ActiveState', 'Id'],
  limit: ['exclusiveLimit', 'LimitState', 'CurrentState'],
} as const satisfies Readonly<Record<string, readonly [keyof typeof types, ...string[]]>>

type Field = keyof typeof fields
const order = Object.keys(fields) as Field[]

/** An EventFilter for these fields of every event; servers differ too much in what else of a filter they understand. */
export function eventFilter({ EventFilter, AttributeIds, coerceNodeId }: Library): object {
  return new EventFilter({
    selectClauses: order.map(field => {
      const [type, ...path] = fields[field]
      return {
        typeDefinitionId: coerceNodeId(types[type], 0),
        browsePath: path.map(name => ({ namespaceIndex: 0, name })),
        attributeId: path.length === 0 ? AttributeIds.NodeId : AttributeIds.Value,
      }
    }),
  })
}

export const signals = { 2787: 'begins', 2788: 'ends', 2789: 'required', 3035: 'overflow' } as const
/** About the events themselves: a refresh begins or ends, or one is needed (OPC 10000-9, 5.11; OPC 10000-4, 7.22.3). */
export type Signal = (typeof signals)[keyof typeof signals]

/** Undefined for events that are no condition's. `nameOf` names a node with its namespace by URI. */
export function read(
  values: readonly Variant[],
  nameOf: (node: NodeId) => string,
  textLimit: number,
): Signal | Condition | undefined {
  const value = (field: Field): unknown => values[order.indexOf(field)]?.value
  const type = nodeIdOf(value('type'))
  if (type?.namespace === 0 && Object.hasOwn(signals, String(type.value))) {
    return signals[Number(type.value) as keyof typeof signals]
  }
  const id = nodeIdOf(value('id'))
  if (id === undefined) return undefined
  const branch = nodeIdOf(value('branch'))
  return {
    id: nameOf(id),
    branch: branch === undefined ? '' : nameOf(branch),
    name: text(value('name')).slice(0, textLimit),
    about: text(value('sourceName')).slice(0, textLimit),
    time: value('time') instanceof Date ? (value('time') as Date).getTime() : 0,
    message: text(value('message')).slice(0, textLimit),
    // Some servers give 0 for what is over.
    severity: Math.min(1000, Math.max(1, number(value('severity')))),
    retain: value('retain') === true,
    ...flag('active', value('active')),
    ...flag('acked', value('acked')),
    ...flag('confirmed', value('confirmed')),
    ...(text(value('limit')) !== '' && value('active') === true && { limit: text(value('limit')) }),
  }
}

/** A field that a server does not have may be anything: null, or the status code that says so. */
function nodeIdOf(value: unknown): NodeId | undefined {
  const isOne = typeof value === 'object' && value !== null && 'isEmpty' in value
  return isOne && !(value as NodeId).isEmpty() ? (value as NodeId) : undefined
}

function flag<K extends string>(key: K, value: unknown): { readonly [P in K]?: boolean } {
  return typeof value === 'boolean' ? ({ [key]: value } as { readonly [P in K]: boolean }) : {}
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** Of a text, or of a LocalizedText. */
function text(value: unknown): string {
  const own = typeof value === 'object' && value !== null && 'text' in value ? value.text : value
  return typeof own === 'string' ? own : ''
}
