// A configured or ordered value as the variant a server wants, and whether what it then holds is the same
// (OPC 10000-6, 5.1.2: the built-in types).

import type { DataType, DataValue, Variant, VariantOptions } from 'node-opcua-client'
import { Refused } from '../../core/errors.ts'
import type { Json } from '../../core/model.ts'

type TypeName = keyof typeof DataType
/** The library's form of 64 bits. */
type Halves = readonly [high: number, low: number]

const whole: Partial<Record<TypeName, readonly [min: bigint, max: bigint]>> = {
  SByte: [-(2n ** 7n), 2n ** 7n - 1n],
  Byte: [0n, 2n ** 8n - 1n],
  Int16: [-(2n ** 15n), 2n ** 15n - 1n],
  UInt16: [0n, 2n ** 16n - 1n],
  Int32: [-(2n ** 31n), 2n ** 31n - 1n],
  UInt32: [0n, 2n ** 32n - 1n],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  UInt64: [0n, 2n ** 64n - 1n],
}

/** @throws Refused where a value of `type` cannot be that; `what` is how the message begins. */
export function variantOf(type: TypeName, value: number | string | boolean, what: string): VariantOptions {
  const no = (): Refused => new Refused(`${what}: ${JSON.stringify(value)} is no ${type}`)
  if (type === 'String') {
    if (typeof value !== 'string') throw no()
    return { dataType: type, value }
  }
  if (typeof value === 'string') throw no()
  if (type === 'Boolean') {
    if (value !== true && value !== false && value !== 0 && value !== 1) throw no()
    return { dataType: type, value: Boolean(value) }
  }
  const number = Number(value)
  if (type === 'Float' || type === 'Double') return { dataType: type, value: number }
  const range = whole[type]
  if (range === undefined || !Number.isSafeInteger(number)) throw no()
  if (BigInt(number) < range[0] || BigInt(number) > range[1]) throw no()
  return { dataType: type, value: type === 'Int64' || type === 'UInt64' ? halves(BigInt(number)) : number }
}

function halves(value: bigint): Halves {
  const bits = BigInt.asUintN(64, value)
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)]
}

/** A variant's value as JSON: 64 bits as a number, or as a text where a number would not be exact. */
export function jsonOf({ value, dataType, arrayType }: Variant): Json {
  const is64 = dataType === int64 || dataType === uint64
  if (is64 && arrayType === scalar) return long(value as Halves, dataType === int64)
  if (is64) return [...(value as Iterable<Halves>)].map(one => long(one, dataType === int64))
  return plain(value)
}

/** Of the library's enumerations, which are there only once it is loaded (OPC 10000-6, 5.1.2). */
const [int64, uint64, scalar] = [8, 9, 0]

function long([high, low]: Halves, isSigned: boolean): Json {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const value = isSigned ? BigInt.asIntN(64, bits) : bits
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

function plain(value: unknown): Json {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)].map(plain)
  return String(value)
}

/** Whether what was read back is what was written, as far as its type can hold it. */
export function isSame(written: VariantOptions, { value: read }: DataValue): boolean {
  const [want, have]: readonly unknown[] = [written.value, read.value]
  if (Array.isArray(want))
    return Array.isArray(have) && want.every((half, n) => (half as number) >>> 0 === (have[n] as number) >>> 0)
  if (written.dataType === 'Float') return Math.fround(want as number) === have
  return want === have
}
