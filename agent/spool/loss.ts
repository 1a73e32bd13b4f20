// What a damaged file lost: the seqs that should be there and are not, and what torn rows still say of them.

import type { Gap } from '../spool.ts'
import type { Stream } from './book.ts'
import type { Salvaged } from './salvage.ts'
import { type Row, seqRange, type Tables } from './tables.ts'

/** The seqs (after, upTo] of a stream that the file held, as far as anyone knows. */
export interface Span {
  readonly n: number
  readonly stream: string
  after: number
  upTo: number
}

/** More samples than this a torn row does not have; its columns are not under a seal that matches. */
const plausible = 1_000_000

export function spanOf({ n, name, floor, last }: Stream): Span {
  return { n, stream: name, after: floor, upTo: last }
}

/** At opening only the file itself tells what it held: torn rows count to what must have been there. */
export function widened(spans: readonly Span[], torn: readonly Row[]): Span[] {
  const byName = new Map(spans.map(span => [span.stream, { ...span }]))
  for (const { k, stream } of torn.filter(isPlausible)) {
    const seq = k % seqRange
    const span = byName.get(stream)
    if (span === undefined) byName.set(stream, { n: Math.floor(k / seqRange), stream, after: seq - 1, upTo: seq })
    else Object.assign(span, { after: Math.min(span.after, seq - 1), upTo: Math.max(span.upTo, seq) })
  }
  return [...byName.values()]
}

export function findLosses(tables: Tables, spans: readonly Span[], { torn }: Salvaged, now: number): Gap[] {
  const byKey = new Map(torn.filter(isPlausible).map(row => [row.k, row]))
  return spans.map(span => lossOf(tables, span, byKey, now)).filter(gap => gap.envelopes > 0)
}

/** Damage of which nothing can be told but that it may have cost something. */
export function unknownLoss(now: number): Gap {
  return { stream: '', cause: 'corrupt', envelopes: 0, samples: 0, events: 0, from: now, to: now }
}

function lossOf(tables: Tables, span: Span, torn: ReadonlyMap<number, Row>, now: number): Gap {
  const gap = { stream: span.stream, cause: 'corrupt' as const, envelopes: 0, samples: 0, events: 0, from: now, to: 0 }
  const hole = (after: number, before: number, from: number, to: number): void => {
    if (before - after <= 1) return
    gap.envelopes += before - after - 1
    gap.from = Math.min(gap.from, from)
    gap.to = Math.max(gap.to, to)
  }
  const base = span.n * seqRange
  let seq = span.after
  let time: number | undefined
  const lost = new Map(torn)
  for (const row of tables.brief.iterate(base + span.after, base + span.upTo)) {
    hole(seq, row.k - base, time ?? row.first_time, row.first_time)
    seq = row.k - base
    time = row.last_time
    lost.delete(row.k)
  }
  hole(seq, span.upTo + 1, time ?? now, now)
  for (const row of lost.values()) {
    if (row.k <= base + span.after || row.k > base + span.upTo) continue
    gap.samples += row.samples
    gap.events += row.events
  }
  return gap
}

function isPlausible({ k, stream, samples, events }: Row): boolean {
  const counts = [samples, events]
  if (!counts.every(count => Number.isSafeInteger(count) && count >= 0 && count <= plausible)) return false
  return typeof stream === 'string' && /^[0-9a-z]{10}\.(events|metrics)\.\d+-/.test(stream) && belongs(k, stream)
}

function belongs(k: number, stream: string): boolean {
  return stream.split('.')[2]!.startsWith(`${Math.floor(k / seqRange)}-`)
}
