// A value of any shape to its leaves: elements of arrays by their index, fields of structures by their path.

import type { Variant } from 'node-opcua-client'
import { type BuiltIn, builtIn, nameOf, type Scalar, scalarOf } from './scalars.ts'

export interface Leaf {
  /** Names of the fields that lead to it, with dots between; empty for the value itself. */
  readonly path: string
  /** Place in its array, with a comma between those of arrays in one another. */
  readonly index: string | undefined
  readonly value: Scalar
}

export interface Bounds {
  readonly text: number
  readonly elements: number
  readonly fields: number
  readonly depth: number
}

/** What is needed of the library's objects for structures. */
interface Structure {
  applyOnAllFields(visit: (object: Structure, field: Field) => void, data: undefined): void
}

interface Field {
  readonly name: string
  readonly originalName: string
  readonly fieldType: string
  readonly category: string
  readonly isArray?: boolean
  readonly schema: { readonly subType?: string; readonly typedEnum?: { get(value: number): { key: string } | null } }
}

/** Bounded as the configuration says: `cut` is true where something was left out. */
export function leavesOf(
  variant: Variant,
  bounds: Bounds,
): { readonly leaves: readonly Leaf[]; readonly cut: boolean } {
  const walk = new Walk(bounds)
  walk.variant(variant, '', undefined, 0)
  return walk
}

class Walk {
  readonly leaves: Leaf[] = []
  cut = false
  readonly #bounds: Bounds

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  variant(
    { dataType, arrayType, value, dimensions }: Variant,
    path: string,
    index: string | undefined,
    depth: number,
  ): void {
    const type = nameOf(dataType)
    if (type === undefined || value === null || value === undefined) return
    const take = (element: unknown, at: string | undefined): void => this.#one(type, element, path, at, depth)
    if ((arrayType as number) === 0) take(value, index)
    else this.#each(value as ArrayLike<unknown>, dimensions, index, take)
  }

  #each(
    all: ArrayLike<unknown>,
    dimensions: readonly number[] | null | undefined,
    index: string | undefined,
    take: (element: unknown, at: string) => void,
  ): void {
    const { elements } = this.#bounds
    this.cut ||= all.length > elements
    for (let n = 0; n < Math.min(all.length, elements); n++) {
      const at = place(n, dimensions ?? [])
      take(all[n], index === undefined ? at : `${index},${at}`)
    }
  }

  #one(type: BuiltIn, value: unknown, path: string, index: string | undefined, depth: number): void {
    if (type === 'Variant') this.variant(value as Variant, path, index, depth + 1)
    else if (type === 'DataValue') this.variant((value as { value: Variant }).value, path, index, depth + 1)
    else if (type === 'ExtensionObject') this.#structure(value, path, index, depth)
    else this.#leaf(scalarOf(type, value, this.#bounds.text), path, index)
  }

  #leaf(value: Scalar | undefined, path: string, index: string | undefined): void {
    if (value === undefined) return
    if (this.leaves.length >= Math.max(this.#bounds.fields, this.#bounds.elements)) this.cut = true
    else this.leaves.push({ path, index, value })
  }

  #structure(value: unknown, path: string, index: string | undefined, depth: number): void {
    if (!isStructure(value)) return
    if (depth >= this.#bounds.depth) {
      this.cut = true
      return
    }
    let fields = 0
    value.applyOnAllFields((object, field) => {
      if (++fields > this.#bounds.fields) this.cut = true
      else this.#field(object, field, path, index, depth)
    }, undefined)
  }

  #field(object: Structure, field: Field, path: string, index: string | undefined, depth: number): void {
    const content = (object as unknown as Readonly<Record<string, unknown>>)[field.name]
    if (content === null || content === undefined) return
    const to = path === '' ? field.originalName : `${path}.${field.originalName}`
    const take = (one: unknown, at: string | undefined): void => this.#content(field, one, to, at, depth + 1)
    if (field.isArray && isArray(content)) this.#each(content, undefined, index, take)
    else take(content, index)
  }

  #content(field: Field, content: unknown, path: string, index: string | undefined, depth: number): void {
    const type = field.fieldType in builtIn ? field.fieldType : (field.schema.subType ?? '')
    if (field.category === 'complex') this.#structure(content, path, index, depth)
    else if (field.category === 'enumeration') this.#leaf(enumerated(field, content), path, index)
    else if (type in builtIn) this.#one(type as BuiltIn, content, path, index, depth)
    else this.#leaf(scalarOf('Variant', content, this.#bounds.text), path, index)
  }
}

function enumerated({ schema }: Field, content: unknown): Scalar | undefined {
  if (typeof content !== 'number') return undefined
  const name = schema.typedEnum?.get(content)?.key
  return { number: content, ...(name !== undefined && { name }) }
}

function isStructure(value: unknown): value is Structure {
  return typeof value === 'object' && value !== null && 'applyOnAllFields' in value
}

function isArray(content: unknown): content is ArrayLike<unknown> {
  return Array.isArray(content) || ArrayBuffer.isView(content)
}

/** Of a matrix, whose elements lie row by row (OPC 10000-6, 5.2.2.16): an index for each dimension. */
function place(n: number, dimensions: readonly number[]): string {
  if (dimensions.length < 2) return String(n)
  const at: number[] = []
  let rest = n
  for (const length of dimensions.toReversed()) {
    at.unshift(length > 0 ? rest % length : 0)
    rest = length > 0 ? Math.floor(rest / length) : rest
  }
  return at.join(',')
}
