// The payload of Sparkplug B, written (Sparkplug 3.0.0, 6.4.1: its protobuf schema).
// Payload: timestamp 1, metrics 2, seq 3. Metric: name 1, alias 2, timestamp 3, datatype 4, is_historical 5, is_null 7,
// properties 9, and one value: int 10, long 11, float 12, double 13, boolean 14, string 15, bytes 16, and others.
// PropertySet: keys 1, values 2. PropertyValue: type 1, int 3, string 8.

import { ProtoWriter } from '../../core/protobuf.ts'

/** Those of 6.4.16 that a metric of ours can have, and Int32 for its properties. */
export const dataTypes = { Int32: 3, Int64: 4, UInt64: 8, Double: 10, Boolean: 11, String: 12 } as const
export type DataType = keyof typeof dataTypes

/** Null is "no value"; a whole number where the type is one. */
export type Value = number | boolean | string | null

export type Properties = readonly (readonly [key: string, value: string | number])[]

/** A metric as a birth defines it. */
export interface Definition {
  readonly name: string
  readonly alias?: number
  readonly type: DataType
  /** ms */
  readonly time: number
  readonly value: Value
  readonly properties?: Properties
}

export class PayloadWriter {
  readonly #out = new ProtoWriter(64 * 1024)

  /** Bytes so far. */
  get length(): number {
    return this.#out.length
  }

  /** @param timestamp when the message is sent, ms since the epoch */
  begin(timestamp: number): void {
    this.#out.length = 0
    this.#out.uint(1, timestamp)
  }

  /** A metric of a birth: all that is known of it. */
  define({ name, alias, type, time, value, properties = [] }: Definition): void {
    const out = this.#out
    const metric = out.open(2)
    out.string(1, name)
    if (alias !== undefined) out.uint(2, alias)
    out.uint(3, time)
    out.uint(4, dataTypes[type])
    if (value === null) out.uint(7, 1)
    if (properties.length > 0) this.#properties(properties)
    if (value !== null) this.#value(type, value)
    out.close(metric)
  }

  /** A metric of data, by its alias. */
  update(alias: number, type: DataType, time: number, value: Exclude<Value, null>, isHistorical: boolean): void {
    const out = this.#out
    const metric = out.open(2)
    out.uint(2, alias)
    out.uint(3, time)
    if (isHistorical) out.uint(5, 1)
    this.#value(type, value)
    out.close(metric)
  }

  /** The message; its own bytes. Without `seq` only a death of the node, clause payloads-sequence-num-always-included. */
  finish(seq?: number): Buffer {
    if (seq !== undefined) this.#out.uint(3, seq)
    return Buffer.from(this.#out.finish())
  }

  #value(type: DataType, value: Exclude<Value, null>): void {
    if (type === 'Double') this.#out.double(13, Number(value))
    else if (type === 'String') this.#out.string(15, String(value))
    else if (type === 'Boolean') this.#out.uint(14, value ? 1 : 0)
    else if (type === 'Int32') this.#out.uint(10, Number(value) >>> 0)
    else this.#out.int(11, Number(value))
  }

  #properties(properties: Properties): void {
    const out = this.#out
    const set = out.open(9)
    for (const [key] of properties) out.string(1, key)
    for (const [, value] of properties) {
      const start = out.open(2)
      out.uint(1, typeof value === 'number' ? dataTypes.Int32 : dataTypes.String)
      if (typeof value === 'number') out.uint(3, value >>> 0)
      else out.string(8, value)
      out.close(start)
    }
    out.close(set)
  }
}
