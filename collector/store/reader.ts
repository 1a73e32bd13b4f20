// Brings a series' chunks and its head into one sequence in time order. Chunks rarely overlap: each is then handed on
// as it is decoded. Where late samples made some overlap, just these are gathered and sorted first.

import { ChunkDecoder } from './chunk.ts'
import { type ChunkRow, type Chunks, hourMs } from './chunks.ts'
import type { Damage } from './damage.ts'
import { MinuteCodec, Minutes } from './minutes.ts'
import { Samples } from './samples.ts'
import type { SeriesRef } from './series.ts'

export interface Target {
  /** Samples `from`..`to` - 1 of the arrays, in time order, also across calls. They may lie outside what was asked. */
  samples(times: Float64Array, values: Float64Array, from: number, to: number): void
  /** Instead of the samples, where a target takes them. */
  minutes?(minutes: Minutes): void
}

/** A chunk, or where `row` is absent the samples `from`..`to` - 1 of the sorted head; with the times it spans. */
interface Piece {
  readonly first: number
  readonly last: number
  readonly arrival: number
  readonly row?: ChunkRow
  readonly from: number
  readonly to: number
}

export class Reader {
  readonly #chunks: Chunks
  readonly #damage: Damage
  readonly #decoder = new ChunkDecoder()
  readonly #codec = new MinuteCodec()
  readonly #minutes = new Minutes()
  readonly #head = new Samples()
  readonly #gathered = new Samples()

  constructor(chunks: Chunks, damage: Damage) {
    this.#chunks = chunks
    this.#damage = damage
  }

  /** Everything of the series that may lie in [from, to). */
  read(ref: SeriesRef, from: number, to: number, target: Target): void {
    if (!(from < to) || ref.lastTime < from || ref.firstTime >= to) return
    const pieces = this.#pieces(ref, from, to, target.minutes !== undefined)
    for (let at = 0; at < pieces.length; ) {
      const end = overlapEnd(pieces, at)
      if (end === at + 1) this.#piece(ref, pieces[at]!, target)
      else this.#overlapping(ref, pieces.slice(at, end), target)
      at = end
    }
  }

  #pieces(ref: SeriesRef, from: number, to: number, brief: boolean): Piece[] {
    const firstHour = Math.floor(Math.max(from, ref.firstTime) / hourMs)
    const lastHour = Math.floor(Math.min(to - 1, ref.lastTime) / hourMs)
    const rows = this.#chunks.select(ref.id, firstHour, lastHour, brief)
    const pieces: Piece[] = rows.map((row, arrival) => {
      const start = row[1] * hourMs
      return { first: start + row[2], last: start + row[3], arrival, row, from: 0, to: 0 }
    })
    this.#headPieces(ref, pieces)
    return pieces.sort((a, b) => a.first - b.first || a.arrival - b.arrival)
  }

  /** The head by hours, so that one late sample in it makes only its own hour overlap. */
  #headPieces({ head, used }: SeriesRef, pieces: Piece[]): void {
    const sorted = this.#head
    sorted.clear()
    sorted.addPairs(head, used)
    sorted.sort()
    for (let from = 0; from < sorted.count; ) {
      const first = sorted.times[from]!
      const to = sorted.at((Math.floor(first / hourMs) + 1) * hourMs)
      pieces.push({ first, last: sorted.times[to - 1]!, arrival: pieces.length, from, to })
      from = to
    }
  }

  #piece(ref: SeriesRef, piece: Piece, target: Target): void {
    if (piece.row) this.chunk(ref, piece.row, target)
    else target.samples(this.#head.times, this.#head.values, piece.from, piece.to)
  }

  /** One chunk's content; what is damaged in it is left out and counted. */
  chunk(ref: SeriesRef, row: ChunkRow, target: Target): void {
    const [id, hour, , , , minutes, samples] = row
    const brief = minutes !== null && target.minutes !== undefined
    if (brief && this.#codec.decode(minutes, hour * hourMs, this.#minutes)) target.minutes?.(this.#minutes)
    else {
      if (brief) this.#damage.found(id, ref, 1)
      this.#decode(ref, id, samples ?? this.#chunks.samples(id), target)
    }
  }

  #decode(ref: SeriesRef, id: number, samples: Buffer, target: Target): void {
    const { times, values } = this.#decoder
    const damaged = this.#decoder.each(samples, count => target.samples(times, values, 0, count))
    if (damaged > 0) this.#damage.found(id, ref, damaged)
  }

  /** The pieces' samples, sorted; among those of the same time the order of arrival holds. */
  #overlapping(ref: SeriesRef, pieces: Piece[], target: Target): void {
    const all = this.#gathered
    all.clear()
    pieces.sort((a, b) => a.arrival - b.arrival)
    for (const { row, from, to } of pieces) {
      if (row) this.#decode(ref, row[0], row[6] ?? this.#chunks.samples(row[0]), gatherInto(all))
      else all.add(this.#head.times, this.#head.values, from, to)
    }
    all.sort()
    target.samples(all.times, all.values, 0, all.count)
  }
}

export function gatherInto(all: Samples): Target {
  return { samples: (times, values, from, to) => all.add(times, values, from, to) }
}

/** The end of the run of pieces from `at` on that share times. */
function overlapEnd(pieces: readonly Piece[], at: number): number {
  let { last, arrival } = pieces[at]!
  let end = at + 1
  for (; end < pieces.length; end++) {
    const piece = pieces[end]!
    if (piece.first > last || (piece.first === last && piece.arrival > arrival)) break
    last = Math.max(last, piece.last)
    arrival = Math.max(arrival, piece.arrival)
  }
  return end
}
