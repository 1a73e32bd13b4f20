// What an uplink should send next. Reads only.

import { type Envelope, seal } from '../../core/envelope.ts'
import { keyOf, placeOf, type Stream, seqOf } from './book.ts'
import type { State } from './state.ts'
import { Damage, headerOf, isWhole, type Row, rowOverhead } from './tables.ts'

/** Events, the present stream first; the present metrics; then older metrics, oldest first, within `backlogBytes`. */
export function take(state: State, uplink: string, maxBytes: number, backlogBytes: number): Envelope[] {
  const { current } = state.book
  const batch: Envelope[] = []
  let room = maxBytes
  const fill = (stream: Stream | undefined, limit: number): void => {
    if (stream !== undefined) room -= read(state, uplink, stream, limit, batch)
  }
  fill(current.events, room)
  for (const stream of older(state, 'events')) fill(stream, room)
  fill(current.metrics, room)
  const end = room - Math.min(room, backlogBytes)
  if (backlogBytes > 0) for (const stream of older(state, 'metrics')) fill(stream, room - end)
  return batch
}

function* older({ book }: State, lane: 'events' | 'metrics'): Generator<Stream> {
  for (const stream of book.waiting(lane)) if (stream !== book.current[lane]) yield stream
}

/** Adds what fits, and in any case the first of a batch; how many bytes that was. */
function read(state: State, uplink: string, stream: Stream, limit: number, batch: Envelope[]): number {
  const place = placeOf(stream, uplink)
  if (place >= stream.last || stream.envelopes === 0 || (batch.length > 0 && limit <= 0)) return 0
  const skips = stream.skips.get(uplink)
  let previous = place > stream.floor ? before(state, stream, place, skips) : 0
  let used = 0
  for (const row of state.tables.read.iterate(keyOf(stream, place), keyOf(stream, stream.last))) {
    const size = row.payload.length + rowOverhead
    const seq = seqOf(row)
    if (skips?.has(seq)) continue
    if (batch.length > 0 && used + size > limit) break
    batch.push(envelope(state, row, previous))
    previous = seq
    used += size
  }
  return used
}

/** The seq that the row after `place` follows, for an uplink that will not send the skipped ones. */
function before(state: State, stream: Stream, place: number, skips: ReadonlySet<number> | undefined): number {
  for (const row of state.tables.keysBack.iterate(keyOf(stream, stream.floor), keyOf(stream, place))) {
    if (!skips?.has(seqOf(row))) return seqOf(row)
  }
  return 0
}

/** A node renamed since the row was put sends it under its present name. */
function envelope({ options }: State, row: Row, previous: number): Envelope {
  if (!isWhole(row)) throw new Damage(`seq ${seqOf(row)} of stream ${row.stream} does not match its seal`)
  const header = headerOf(row)
  if (row.node === options.node) return { ...header, previous, payload: row.payload, crc: row.crc }
  const renamed = { ...header, node: options.node }
  return { ...renamed, previous, payload: row.payload, crc: seal(renamed, row.payload) }
}
