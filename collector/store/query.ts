// Range queries over the reader: down-sampled, or every sample.

import { Buckets, type Columns, type Grid, gridOf } from './buckets.ts'
import { minuteMs } from './minutes.ts'
import { gatherInto, type Reader } from './reader.ts'
import { Samples } from './samples.ts'
import type { Ref, SeriesRef } from './series.ts'

/** [from, to) in ms since the epoch, in at most `buckets` buckets. */
export interface Window {
  readonly from: number
  readonly to: number
  readonly buckets: number
}

export interface Answer extends Grid {
  /** In the order of the refs asked for. */
  readonly series: readonly (Columns & { readonly ref: Ref })[]
}

const mostBuckets = 100_000

/** Throws RangeError where the window is none. */
export function queryBuckets(reader: Reader, refs: readonly SeriesRef[], { from, to, buckets }: Window): Answer {
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from < to)) {
    throw new RangeError(`query: from ${from} to ${to} is not a time range in whole ms`)
  }
  if (!(Number.isInteger(buckets) && buckets >= 1 && buckets <= mostBuckets)) {
    throw new RangeError(`query: ${buckets} buckets; expected 1 to ${mostBuckets}`)
  }
  const grid = gridOf(from, to, buckets)
  return { ...grid, series: refs.map(ref => ({ ref, ...queryOne(reader, ref, grid) })) }
}

function queryOne(reader: Reader, ref: SeriesRef, grid: Grid): Columns {
  const into = new Buckets(grid, ref.series.kind === 'counter')
  const samples = into.samples.bind(into)
  const target = grid.step % minuteMs === 0 ? { samples, minutes: into.minutes.bind(into) } : { samples }
  reader.read(ref, grid.start, grid.start + grid.step * grid.buckets, target)
  return into.finish()
}

/** Every sample of [from, to) in time order; those of the same time in the order in which they came. */
export function readRange(
  reader: Reader,
  ref: SeriesRef,
  from: number,
  to: number,
): { times: Float64Array; values: Float64Array } {
  const all = new Samples()
  reader.read(ref, from, to, gatherInto(all))
  const start = all.at(from)
  const end = all.at(to)
  return { times: all.times.slice(start, end), values: all.values.slice(start, end) }
}
