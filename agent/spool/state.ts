// What the parts of the spool share.

import type { Gap, SpoolOptions } from '../spool.ts'
import type { Book, Undo } from './book.ts'
import { addGap, type GapClock } from './gaps.ts'
import type { SetAside } from './refused.ts'
import type { Tables } from './tables.ts'

export interface Counts {
  put_samples: number
  dropped_samples: number
  dropped_events: number
  dropped_envelopes: number
  refused_envelopes: number
  salvages: number
  protocol_errors: number
}

export interface State {
  readonly tables: Tables
  readonly book: Book
  readonly options: SpoolOptions
  readonly counts: Counts
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
