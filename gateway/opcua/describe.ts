// What browsed variables are: their type, whether they are arrays, whether they may be read, their unit
// (OPC 10000-3, 5.6.2; OPC 10000-8, 5.6.3).

import type { DataValue, NodeId } from 'node-opcua-client'
import { basicType } from './basic-type.ts'
import { inBatches } from './batches.ts'
import { within } from './patience.ts'
import type { Session } from './session.ts'
import { ucumOf } from './units.ts'
import type { Found } from './walk.ts'

export interface Described {
  readonly path: readonly string[]
  /** With its namespace by URI. */
  readonly node: string
  /** A built-in type: `Double`; `Int32` also of an enumeration, `ExtensionObject` of a structure. */
  readonly type: string
  readonly isArray: boolean
  readonly isReadable: boolean
  /** UCUM */
  readonly unit: string
}

/** Bit of UserAccessLevel. */
const currentRead = 1

export async function describe(
  session: Session,
  found: readonly Found[],
  timeout: number,
): Promise<readonly Described[]> {
  const { AttributeIds } = session.library
  const read = (nodes: readonly (readonly [NodeId, number])[]) => readAll(session, nodes, timeout)
  const [types, ranks, access] = await Promise.all(
    [AttributeIds.DataType, AttributeIds.ValueRank, AttributeIds.UserAccessLevel].map(attribute =>
      read(found.map(({ nodeId }) => [nodeId, attribute] as const)),
    ),
  )
  const withUnits = found.filter(({ units }) => units !== undefined)
  const units = await read(withUnits.map(({ units }) => [units!, AttributeIds.Value] as const))
  const unitOf = new Map(withUnits.map((one, n) => [one, ucumOf(units[n]?.value?.value ?? undefined)]))
  const typeName = typeNames(session, timeout)
  return Promise.all(
    found.map(async (one, n) => ({
      path: one.path,
      node: session.nameOf(one.nodeId),
      type: await typeName(types![n]?.value?.value),
      isArray: Number(ranks![n]?.value?.value ?? -1) >= 0,
      isReadable: (Number(access![n]?.value?.value ?? 0) & currentRead) !== 0,
      unit: unitOf.get(one) ?? '1',
    })),
  )
}

async function readAll(
  { client, limits, lost }: Session,
  nodes: readonly (readonly [NodeId, number])[],
  timeout: number,
): Promise<readonly DataValue[]> {
  return await inBatches(nodes, limits.read, some => {
    const asked = some.map(([nodeId, attributeId]) => ({ nodeId, attributeId }))
    return within(timeout, 'reading what the nodes are', client.read(asked), lost)
  })
}

/** Each data type is asked for its built-in one once. */
function typeNames(session: Session, timeout: number): (dataType: unknown) => Promise<string> {
  const known = new Map<string, Promise<string>>()
  const ask = async (dataType: NodeId): Promise<string> => (await basicType(session, dataType, timeout)) ?? 'unknown'
  return dataType => {
    if (!(dataType instanceof session.library.NodeId)) return Promise.resolve('unknown')
    const key = dataType.toString()
    const asked = known.get(key) ?? ask(dataType)
    known.set(key, asked)
    return asked
  }
}
