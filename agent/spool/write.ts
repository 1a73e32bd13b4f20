// The one transaction that changes the spool: debts are paid, parcels stored, gaps declared, room made.

import { reason } from '../../core/errors.ts'
import type { Parcel } from '../spool.ts'
import { keyOf, type Stream, Undo } from './book.ts'
import { forgetGaps, isDue, readGaps } from './gaps.ts'
import { setAside } from './refused.ts'
import { shedAged, shedFull } from './shed.ts'
import type { State } from './state.ts'
import { insertRow, rowOverhead, sealed, transact } from './tables.ts'

/** Between looks at the age of rows, ms. */
const agePause = 60_000

/** Everything or nothing, in the file and in the book. */
export function write(state: State, parcels: readonly Parcel[]): void {
  const changes = new Undo()
  const now = Math.round(state.options.now())
  let drained: readonly Stream[] = []
  try {
    transact(state.tables.db, () => {
      drained = payDebts(state, changes, now)
      for (const parcel of parcels) store(state, changes, parcel, now)
      if (parcels.some(({ once }) => once !== undefined)) shedKeys(state, changes, now)
      declareGaps(state, changes, now)
      if (state.options.when_full === 'drop-oldest') shed(state, changes, now, parcels.length > 0)
    })
  } catch (error) {
    changes.run()
    throw error
  }
  state.refusals = []
  for (const stream of drained) if (stream.envelopes === 0) state.book.remove(stream)
}

/** Whether a transaction without parcels would change anything. */
export function isOwing(state: State): boolean {
  if (state.refusals.length > 0 || isDue(state.gaps, state.options.now())) return true
  return state.book.streams.values().some(stream => stream.owing)
}

/** Refused rows are set aside before rows that every uplink has passed go. Returns the streams that are now over. */
function payDebts(state: State, changes: Undo, now: number): Stream[] {
  setAside(state.tables.db, state.refusals, now)
  const owing = [...state.book.streams.values()].filter(stream => stream.owing)
  for (const stream of owing) payFor(state, changes, stream)
  return owing.filter(stream => stream.envelopes === 0 && state.book.current[stream.lane] !== stream)
}

function payFor({ tables, options }: State, changes: Undo, stream: Stream): void {
  changes.note(stream, 'erased', 'owing')
  if (stream.floor > stream.erased) tables.erase.run(keyOf(stream, stream.erased), keyOf(stream, stream.floor))
  stream.erased = stream.floor
  stream.owing = false
  // A place at the floor needs no row, so that a single uplink never writes one.
  if (options.uplinks.length < 2) return
  tables.forgetPlaces.run(stream.name)
  for (const uplink of options.uplinks) {
    const place = stream.places.get(uplink) ?? 0
    if (place > stream.floor) tables.storePlace.run(uplink, stream.name, place)
  }
}

function store({ tables, book, options, counts }: State, changes: Undo, parcel: Parcel, now: number): void {
  const stream = book.current[parcel.lane] ?? book.open(parcel.lane, changes)
  const seq = stream.last + 1
  insertRow(tables, sealed(parcel, options.node, stream.name, stream.n, seq, now))
  changes.note(stream, 'last')
  changes.note(counts, 'put_samples')
  stream.last = seq
  counts.put_samples += parcel.samples
  book.count(stream, 1, parcel.payload.length + rowOverhead, changes)
  for (const key of parcel.once ?? []) tables.once.add(key, keyOf(stream, seq), now, changes)
}

function shedKeys({ tables, options }: State, changes: Undo, now: number): void {
  tables.once.shed(options.once_most, options.once_age, now, changes)
}

/** The event that declares a gap takes its place in the same transaction. */
function declareGaps(state: State, changes: Undo, now: number): void {
  const { gaps } = state
  if (!isDue(gaps, now)) return
  changes.note(gaps, 'pending', 'declared')
  gaps.declared = now
  for (const parcel of described(state)) store(state, changes, parcel, now)
}

/** Empty, and the gaps stay for another time, if they cannot be put into words. */
function described({ gaps, tables, options }: State): Parcel[] {
  let parcels: Parcel[]
  const waiting = readGaps(tables.db)
  try {
    parcels = waiting.map(gap => options.declare(gap))
  } catch (error) {
    options.say('error', `spool: cannot declare a gap: ${reason(error)}`)
    return []
  }
  forgetGaps(tables.db)
  gaps.pending = false
  return parcels
}

/** Age is looked at with a put: paying debts, as at a close, gives nothing up. */
function shed(state: State, changes: Undo, now: number, isPut: boolean): void {
  if (isPut && isAgeDue(state, now)) {
    changes.note(state, 'aged')
    state.aged = now
    shedAged(state, changes, now)
  }
  shedFull(state, changes)
}

function isAgeDue({ aged }: State, now: number): boolean {
  return aged === undefined || now < aged || now - aged >= agePause
}
