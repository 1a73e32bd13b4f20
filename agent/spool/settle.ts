// What a delivery changes: places move in memory, the floor follows the slowest uplink. The file follows with the next
// transaction; a crash before it only sends again what the far end knows by its seq.

import type { Delivery } from '../uplink.ts'
import { keyOf, placeOf, type Stream, seqOf } from './book.ts'
import type { State } from './state.ts'

export function settle(state: State, uplink: string, delivery: Delivery): void {
  for (const [name, committed] of delivery.committed) {
    const stream = state.book.named(name)
    // A stream that is not known was drained; this is a late word on it.
    if (stream === undefined || !isPossible(state, uplink, stream, committed)) continue
    stream.places.set(uplink, Math.min(committed, stream.last))
    stream.owing = true
  }
  for (const { stream: name, seq, reason } of delivery.refused) {
    const stream = state.book.named(name)
    if (stream === undefined || !(seq > stream.floor && seq <= stream.last)) continue
    refuse(state, uplink, stream, seq, reason)
    stream.owing = true
  }
}

/** Raises the floors that the places allow. May be called again after a throw. */
export function raiseFloors(state: State): void {
  for (const stream of state.book.streams.values()) if (stream.owing) raiseFloor(state, stream)
}

/**
 * Nobody can have committed what this process never put. Of an older stream they can: the file may be an older copy of
 * itself, and then what it still holds is committed too.
 */
function isPossible({ counts, options }: State, uplink: string, stream: Stream, committed: number): boolean {
  if (Number.isSafeInteger(committed) && committed >= 0 && (committed <= stream.last || !stream.own)) return true
  counts.protocol_errors++
  const fields = { uplink, stream: stream.name, committed, last: stream.last }
  options.say('error', 'spool: the far end claims what was never put; its word on this stream is ignored', fields)
  return false
}

function refuse(state: State, uplink: string, stream: Stream, seq: number, reason: string): void {
  state.refusals.push({ uplink, k: keyOf(stream, seq), reason })
  state.counts.refused_envelopes++
  if (seq <= placeOf(stream, uplink)) return
  const skips = stream.skips.get(uplink) ?? new Set()
  stream.skips.set(uplink, skips.add(seq))
}

function raiseFloor(state: State, stream: Stream): void {
  for (const [uplink, skips] of stream.skips) passSkips(state, uplink, stream, skips)
  const floor = Math.min(stream.last, ...state.options.uplinks.map(name => placeOf(stream, name)))
  if (floor <= stream.floor || state.options.uplinks.length === 0) return
  const { envelopes, bytes } = state.tables.sum.get(keyOf(stream, stream.floor), keyOf(stream, floor))!
  stream.floor = floor
  state.book.count(stream, -envelopes, -bytes)
}

/** The place moves over refused rows that come next. */
function passSkips({ tables }: State, uplink: string, stream: Stream, skips: Set<number>): void {
  for (const row of tables.brief.iterate(keyOf(stream, placeOf(stream, uplink)), keyOf(stream, stream.last))) {
    if (!skips.has(seqOf(row))) break
    stream.places.set(uplink, seqOf(row))
  }
  for (const seq of skips) if (seq <= placeOf(stream, uplink)) skips.delete(seq)
  if (skips.size === 0) stream.skips.delete(uplink)
}
