// What long queries read instead of samples: per minute of an hour its count, sum, least and greatest value and so on.
// They belong to one chunk and are written with it, from the same samples.
//
//   minutes = block               see block.ts
//   body    = form:byte n:varint column*   each column n values, see column.ts
//   gauge           (form 0): minute count sum last min max
//   steady counter  (form 1): minute count sum last first firstMs lastMs             never fell within the minute
//   counter         (form 2): the same, then min max increase
//
// minute is 0..59 within the hour; firstMs and lastMs are the offsets of the first and last sample from the hour's start.

import { endBlock, readBlocks, startBlock } from './block.ts'
import { ColumnEncoder, decodeColumn } from './column.ts'
import { type Cursor, Sink } from './sink.ts'

export const minuteMs = 60_000
/** Below this many samples a minute the samples themselves are read as fast. */
const dense = 20
const most = 60

const columns = ['minute', 'count', 'sum', 'last', 'min', 'max', 'first', 'firstMs', 'lastMs', 'increase'] as const
type Column = (typeof columns)[number]

const forms: readonly (readonly Column[])[] = [
  ['minute', 'count', 'sum', 'last', 'min', 'max'],
  ['minute', 'count', 'sum', 'last', 'first', 'firstMs', 'lastMs'],
  ['minute', 'count', 'sum', 'last', 'first', 'firstMs', 'lastMs', 'min', 'max', 'increase'],
]
const steadyCounter = 1

/** One hour's minutes in columns, `size` of them. Gauges leave `first`, `firstMs`, `lastMs` and `increase` unset. */
export class Minutes implements Record<Column, Float64Array> {
  size = 0
  /** Start of the hour, ms since the epoch. */
  start = 0
  readonly minute = new Float64Array(most)
  readonly count = new Float64Array(most)
  readonly sum = new Float64Array(most)
  readonly last = new Float64Array(most)
  readonly min = new Float64Array(most)
  readonly max = new Float64Array(most)
  readonly first = new Float64Array(most)
  readonly firstMs = new Float64Array(most)
  readonly lastMs = new Float64Array(most)
  readonly increase = new Float64Array(most)

  /** From the samples of one hour in time order. */
  gather(start: number, times: Float64Array, values: Float64Array, count: number): void {
    this.size = 0
    this.start = start
    let minute = -1
    for (let i = 0; i < count; i++) {
      const offset = times[i]! - start
      if (Math.floor(offset / minuteMs) !== minute) {
        minute = Math.floor(offset / minuteMs)
        this.#open(minute, offset, values[i]!)
      } else this.#extend(this.size - 1, offset, values[i]!)
    }
  }

  #open(minute: number, offset: number, value: number): void {
    const n = this.size++
    this.minute[n] = minute
    this.count[n] = 1
    this.firstMs[n] = this.lastMs[n] = offset
    this.sum[n] = this.first[n] = this.last[n] = this.min[n] = this.max[n] = value
    this.increase[n] = 0
  }

  #extend(n: number, offset: number, value: number): void {
    if (offset > this.lastMs[n]!) this.increase[n]! += increaseOf(this.last[n]!, value)
    this.count[n]!++
    this.sum[n]! += value
    this.last[n] = value
    this.lastMs[n] = offset
    if (value < this.min[n]!) this.min[n] = value
    if (value > this.max[n]!) this.max[n] = value
  }
}

/** What a counter grew by between two readings; one that fell has started again from 0. */
export function increaseOf(previous: number, value: number): number {
  return value >= previous ? value - previous : value
}

export class MinuteCodec {
  readonly #out = new Sink(4096)
  readonly #encoder = new ColumnEncoder(most)
  readonly #minutes = new Minutes()

  /** The minutes of an hour's samples, or undefined where these are too few. The bytes live until the next call. */
  encode(
    start: number,
    times: Float64Array,
    values: Float64Array,
    count: number,
    counter: boolean,
  ): Buffer | undefined {
    const minutes = this.#minutes
    minutes.gather(start, times, values, count)
    if (count < minutes.size * dense) return undefined
    const out = this.#out
    out.at = 0
    const form = counter ? (steady(minutes) ? steadyCounter : 2) : 0
    const body = startBlock(out)
    out.reserve(2)
    out.bytes[out.at++] = form
    out.bytes[out.at++] = minutes.size
    for (const column of forms[form]!) this.#encoder.encode(out, minutes[column], 0, minutes.size)
    endBlock(out, body)
    return out.bytes.subarray(0, out.at)
  }

  /** Reads into `into`; false if the bytes are damaged. */
  decode(blob: Uint8Array, start: number, into: Minutes): boolean {
    into.start = start
    into.size = 0
    let whole = false
    const damaged = readBlocks(blob, body => {
      whole = decodeBody(body, into)
    })
    return whole && damaged === 0
  }
}

function decodeBody(body: Cursor, into: Minutes): boolean {
  const form = body.byte()
  const size = body.byte()
  const names = forms[form]
  if (names === undefined || size > most) return false
  for (const column of names) decodeColumn(body, into[column], size)
  into.size = size
  if (form === steadyCounter) completeSteady(into)
  return true
}

function completeSteady(m: Minutes): void {
  for (let n = 0; n < m.size; n++) {
    m.min[n] = m.first[n]!
    m.max[n] = m.last[n]!
    m.increase[n] = m.last[n]! - m.first[n]!
  }
}

/** Whether least, greatest and increase follow from first and last. */
function steady(m: Minutes): boolean {
  for (let n = 0; n < m.size; n++) {
    if (m.min[n] !== m.first[n] || m.max[n] !== m.last[n]) return false
    if (Math.abs(m.increase[n]! - (m.last[n]! - m.first[n]!)) > Math.abs(m.increase[n]!) * 1e-9) return false
  }
  return true
}
