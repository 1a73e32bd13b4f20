// The cap: what goes when the spool is full or a row is too old. Oldest first, metrics before events, all counted.

import type { Gap } from '../spool.ts'
import { keyOf, type Stream, seqOf, type Undo } from './book.ts'
import { give, type State } from './state.ts'
import { Damage, rowOverhead } from './tables.ts'

/** Before this the host's clock was not set when the row was put: its age is not known and does not count. */
const clockSet = Date.UTC(2020, 0, 1)

export function shedFull(state: State, changes: Undo): void {
  const { book, options } = state
  while (book.bytes > options.max_bytes) {
    const victim = book.waiting('metrics').next().value ?? book.waiting('events').next().value
    if (victim === undefined) return
    const over = book.bytes - options.max_bytes
    const gone = giveUp(state, changes, victim, 'full', (_, freed) => freed < over)
    if (gone === 0) throw new Damage(`stream ${victim.name} has lost its rows`)
  }
}

export function shedAged(state: State, changes: Undo, now: number): void {
  const isOld = (put: number): boolean => put >= clockSet && put < now - state.options.max_age
  for (const stream of state.book.streams.values()) {
    if (stream.envelopes > 0) giveUp(state, changes, stream, 'age', isOld)
  }
}

type More = (put: number, freed: number) => boolean

/** Drops the stream's oldest rows as long as `more` says so; how many went. */
function giveUp(state: State, changes: Undo, stream: Stream, cause: Gap['cause'], more: More): number {
  const { tables, book } = state
  const gap = { stream: stream.name, cause, envelopes: 0, samples: 0, events: 0, from: Number.MAX_SAFE_INTEGER, to: 0 }
  let freed = 0
  let upTo = stream.floor
  for (const row of tables.brief.iterate(keyOf(stream, stream.floor), keyOf(stream, stream.last))) {
    if (!more(row.put_time, freed)) break
    freed += row.size + rowOverhead
    upTo = seqOf(row)
    gap.envelopes++
    gap.samples += row.samples
    gap.events += row.events
    gap.from = Math.min(gap.from, row.first_time)
    gap.to = Math.max(gap.to, row.last_time)
  }
  if (gap.envelopes === 0) return 0
  tables.erase.run(keyOf(stream, stream.erased), keyOf(stream, upTo))
  changes.note(stream, 'floor', 'erased', 'owing')
  stream.floor = upTo
  stream.erased = upTo
  stream.owing = true
  book.count(stream, -gap.envelopes, -freed, changes)
  give(state, changes, gap)
  return gap.envelopes
}
