// Orders to write a node: only one that the configuration declares writable, only within its limits, and done only when
// the server holds the value.

import type { DataType, DataValue, NodeId, VariantOptions } from 'node-opcua-client'
import type { Act, Surroundings } from '../../agent/source.ts'
import { Refused } from '../../core/errors.ts'
import type { Json } from '../../core/model.ts'
import { permit } from './allowed.ts'
import { basicType } from './basic-type.ts'
import { isSame, jsonOf, variantOf } from './coerce.ts'
import type { Extra } from './extra.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import { refusing } from './refusing.ts'
import type { Session } from './session.ts'

/** A controller takes a value over with its next cycle: how long that may last, and how often it is looked at, ms. */
const settling = 2000
const look = 100

export function writes({ nodes, timeout }: OpcUaOptions, { host }: Pick<Surroundings, 'host'>): Extra {
  let session: Session | undefined

  const write: Act = async ({ to, value }, signal) => {
    const node = nodes.find(n => n.name === to)
    if (node === undefined) throw new Refused(`there is no node named ${JSON.stringify(to)}`)
    if (node.write === undefined) throw new Refused(`${node.name} may not be written: its configuration has no write`)
    const wanted = permit(node.write, value, node.name)
    if (session === undefined || session.lost.aborted) throw new Error(`writing ${node.name}: not connected`)
    signal.throwIfAborted()
    return writeNode(session, session.nodeId(node.node), wanted, node.name, signal)
  }

  const writeNode = async (
    current: Session,
    nodeId: NodeId,
    wanted: number | string | boolean,
    name: string,
    signal: AbortSignal,
  ): Promise<Json> => {
    const { client, library, lost } = current
    const attributeId = library.AttributeIds.Value
    const read = () => within(timeout, `reading ${name}`, client.read({ nodeId, attributeId }), lost)
    const type = await typeOf(current, nodeId, await read())
    const variant = variantOf(type, wanted, name)
    const doing = `writing ${JSON.stringify(wanted)} to ${name}`
    const status = await within(timeout, doing, client.write({ nodeId, attributeId, value: { value: variant } }), lost)
    if (status.isNotGood()) throw refusing(status, doing)
    return settled(read, variant, name, signal)
  }

  /** What it holds now, because a node may be declared with an abstract type; else what it is declared as. */
  const typeOf = async (current: Session, nodeId: NodeId, { value }: DataValue): Promise<keyof typeof DataType> => {
    const { client, library, lost } = current
    const held = library.DataType[value.dataType] as keyof typeof DataType
    if (held !== 'Null') return held
    const asked = client.read({ nodeId, attributeId: library.AttributeIds.DataType })
    const declared = await within(timeout, 'asking for a data type', asked, lost)
    if (declared.statusCode.isNotGood()) throw refusing(declared.statusCode, 'asking for a data type')
    return (await basicType(current, declared.value.value as NodeId, timeout)) ?? 'Double'
  }

  const settled = async (
    read: () => Promise<DataValue>,
    variant: VariantOptions,
    name: string,
    signal: AbortSignal,
  ): Promise<Json> => {
    const deadline = host.monotonic() + settling
    for (;;) {
      const back = await read()
      if (isSame(variant, back)) return jsonOf(back.value)
      if (host.monotonic() >= deadline || signal.aborted) {
        throw new Error(`${name} was written, but reads back as ${JSON.stringify(jsonOf(back.value))}`)
      }
      await host.sleep(look, signal)
    }
  }

  return {
    connected: async current => {
      session = current
    },
    actions: { write },
  }
}
