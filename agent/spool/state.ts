// What the parts of the spool share.

import type { Gap, SpoolOptions } from '../spool.ts'
import type { Book, Undo } from './book.ts'
import { addGap, type GapClock } from './gaps.ts'
import type { SetAside } from './refused.ts'
import type { Tables } from './tables.ts'

export const nothingCounted = {
  put_samples: 0,
  dropped_samples: 0,
  dropped_events: 0,
  dropped_envelopes: 0,
  refused_envelopes: 0,
  salvages: 0,
  protocol_errors: 0,
}

export interface State {
  readonly tables: Tables
  readonly book: Book
  readonly options: SpoolOptions
  readonly counts: typeof nothingCounted
  readonly gaps: GapClock
  /** Refusals not yet in the file. */
  refusals: SetAside[]
  /** When ages were last looked at. */
  aged: number | undefined
}

/** Counts what was given up, and keeps it until it is declared. Inside a transaction. */
export function give(state: State, changes: Undo, gap: Gap): void {
  const { counts, gaps } = state
  addGap(state.tables.db, gap)
  changes.note(gaps, 'pending')
  changes.note(counts, 'dropped_envelopes', 'dropped_samples', 'dropped_events')
  gaps.pending = true
  counts.dropped_envelopes += gap.envelopes
  counts.dropped_samples += gap.samples
  counts.dropped_events += gap.events
}
