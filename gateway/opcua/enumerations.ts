// Names of numbers: the type of a node says which values of its enumeration have which name (OPC 10000-3, 8.40 and 8.50).

import type { DataValue, NodeId } from 'node-opcua-client'
import { inBatches } from './batches.ts'
import type { Tracked } from './nodes.ts'
import { within } from './patience.ts'
import { builtIn } from './scalars.ts'
import type { Session } from './session.ts'

type Names = ReadonlyMap<number, string>

const mostNames = 1000

/** Looks up the types of the nodes, each type once for all of them. */
export class Enumerations {
  readonly #session: Session
  readonly #timeout: number
  readonly #known = new Map<string, Names | undefined>()

  constructor(session: Session, timeout: number) {
    this.#session = session
    this.#timeout = timeout
  }

  /** Gives each node the names its type has. A node whose type is not to be had has none. */
  async name(nodes: readonly { readonly node: Tracked; readonly nodeId: NodeId }[]): Promise<void> {
    const { AttributeIds } = this.#session.library
    const types = await this.#read(nodes.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.DataType })))
    for (const [n, { node }] of nodes.entries()) {
      const type = types[n]?.value.value as NodeId | null | undefined
      node.enumeration = type && !isBuiltIn(type) ? await this.#namesOf(type) : undefined
    }
  }

  async #namesOf(type: NodeId): Promise<Names | undefined> {
    const key = type.toString()
    if (!this.#known.has(key)) this.#known.set(key, (await this.#defined(type)) ?? (await this.#listed(type)))
    return this.#known.get(key)
  }

  async #defined(nodeId: NodeId): Promise<Names | undefined> {
    const attributeId = this.#session.library.AttributeIds.DataTypeDefinition
    const [answer] = await this.#read([{ nodeId, attributeId }])
    const definition = answer?.value.value as { fields?: unknown } | null | undefined
    return fieldsOf(definition?.fields)
  }

  /** Servers from before 1.04 have them as a property of the type. */
  async #listed(type: NodeId): Promise<Names | undefined> {
    const { library, client } = this.#session
    const paths = ['EnumValues', 'EnumStrings'].map(name => ({
      startingNode: type,
      relativePath: { elements: [{ referenceTypeId: library.coerceNodeId(46, 0), targetName: { name } }] },
    }))
    const asked = client.translateBrowsePath(paths.map(path => new library.BrowsePath(path)))
    const found = await within(this.#timeout, 'looking up an enumeration', asked, this.#session.lost)
    for (const { targets } of found) {
      const nodeId = targets?.[0]?.targetId
      const [answer] = nodeId ? await this.#read([{ nodeId, attributeId: library.AttributeIds.Value }]) : []
      const names = fieldsOf(answer?.value.value)
      if (names !== undefined) return names
    }
    return undefined
  }

  async #read(all: readonly { nodeId: NodeId; attributeId: number }[]): Promise<readonly DataValue[]> {
    const { client, limits, lost } = this.#session
    const read = (some: readonly { nodeId: NodeId; attributeId: number }[]): Promise<readonly DataValue[]> =>
      within(this.#timeout, 'reading types', client.read([...some], 0), lost)
    return await inBatches(all, limits.read, read)
  }
}

/** The types of namespace 0 that are no enumerations (OPC 10000-6, 5.1.2, and 22 to 29 above them). */
function isBuiltIn({ namespace, value }: NodeId): boolean {
  return namespace === 0 && typeof value === 'number' && value <= builtIn.Variant + 5 && value !== 29
}

/** EnumFields, EnumValueTypes, or texts that count from 0. */
function fieldsOf(fields: unknown): Names | undefined {
  if (!Array.isArray(fields)) return undefined
  const names = new Map<number, string>()
  for (const [n, field] of fields.slice(0, mostNames).entries()) {
    const { value, name, displayName, text } = field as Readonly<Record<string, unknown>>
    const label = name ?? text ?? (displayName as { text?: unknown } | undefined)?.text
    if (label !== null && label !== undefined && !isStructureField(field)) names.set(numberOf(value, n), String(label))
  }
  return names.size > 0 ? names : undefined
}

/** A structure's definition has fields, too. */
function isStructureField(field: unknown): boolean {
  return typeof field === 'object' && field !== null && 'dataType' in field
}

/** An Int64, which the library has as its high and its low word. */
function numberOf(value: unknown, otherwise: number): number {
  return Array.isArray(value) ? (Number(value[0]) | 0) * 2 ** 32 + (Number(value[1]) >>> 0) : Number(value ?? otherwise)
}
