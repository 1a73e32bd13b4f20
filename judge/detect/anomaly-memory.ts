// What a series has looked like: up to 76 points in the space of its features, and at which times of day each was seen.
//
// Format: a text, 10 characters a point, all printable, so that it is as small in memory as in a checkpoint.
//   4 x 2  the features, in steps of a frame that belongs to the series, 0 to 8,463
//   2      12 bits, one for each two hours of the day (UTC) in which it was seen, and one that says it was of use lately
// A text changes only when a point is new, is seen at a new time of day, or is of use again after the hand passed it.
//
// Forgetting: the hand goes round like a clock's; a point that was of use since it last passed gets another round.

export const dimensions = 4
/** The first of them tell of the level; only they are compared with a time of day. */
export const levels = 2
export const most = 76
const width = 2 * dimensions + 2
/** Printable characters from `#`; two of them hold a number below `span`. */
const first = 35
const letters = 92
export const span = letters * letters
export const middle = span / 2
const usedBit = 1 << 12

export interface Point {
  /** In steps of the frame, within [0, span). */
  readonly at: Float64Array
  /** What a step counts for in each dimension. */
  readonly weight: Float64Array
  /** The time of day, as its bit. */
  now: number
}

export interface Met {
  /** Distance to the nearest known point; 0 if that is within `reach`. */
  distance: number
  /** How far the level is from the nearest seen at this time of day; 0 if within reach, and where none was seen. */
  atThisTime: number
  /** The index of the nearest, and of the nearest seen at this time of day. */
  nearest: number
  nearestNow: number
}

/** Looks first where it was found last; `met` is overwritten. What is known at this time of day ends the search. */
export function meet(known: string, point: Point, reach: number, from: number, met: Met): void {
  met.distance = 0
  met.atThisTime = 0
  met.nearest = familiar(known, point, reach, from)
  if (met.nearest < 0) measure(known, point, reach, met)
}

/** The first point within reach that was seen at this time of day, from that at `from` on round; -1: there is none. */
function familiar(known: string, { at, weight, now }: Point, reach: number, from: number): number {
  const [x, y, z, w] = [at[0]!, at[1]!, at[2]!, at[3]!]
  const [dx, dy, dz, dw] = [reach / weight[0]!, reach / weight[1]!, reach / weight[2]!, reach / weight[3]!]
  const end = known.length
  for (let n = 0, i = from * width; n < end; n += width, i += width) {
    if (i >= end) i = 0
    if (Math.abs(number(known, i) - x) > dx) continue
    if (Math.abs(number(known, i + 2) - y) > dy) continue
    if (Math.abs(number(known, i + 4) - z) > dz) continue
    if (Math.abs(number(known, i + 6) - w) > dw) continue
    if ((number(known, i + 8) & now) !== 0) return i / width
  }
  return -1
}

/** The distances to the nearest of all, and to the nearest of those seen at this time of day. */
function measure(known: string, point: Point, reach: number, met: Met): void {
  let best = Number.POSITIVE_INFINITY
  let bestNow = Number.POSITIVE_INFINITY
  for (let index = 0; index < known.length / width; index++) {
    const level = apart(known, index * width, point, 0, levels)
    const distance = Math.max(level, apart(known, index * width, point, levels, dimensions))
    if (distance < best) {
      best = distance
      met.nearest = index
    }
    if (level < bestNow && seenNow(known, index, point)) {
      bestNow = level
      met.nearestNow = index
    }
  }
  if (best > reach) met.distance = best
  if (bestNow > reach && bestNow < Number.POSITIVE_INFINITY) met.atThisTime = bestNow
}

function seenNow(known: string, index: number, { now }: Point): boolean {
  return (number(known, index * width + 2 * dimensions) & now) !== 0
}

/** The largest difference in the dimensions from..to-1, in ranges. */
function apart(known: string, at: number, { at: here, weight }: Point, from: number, to: number): number {
  let most = 0
  for (let d = from; d < to; d++) most = Math.max(most, Math.abs(here[d]! - number(known, at + 2 * d)) * weight[d]!)
  return most
}

/** Notes that the point at `index` was seen now. */
export function recall(known: string, index: number, now: number): string {
  const at = index * width + 2 * dimensions
  const before = number(known, at)
  const after = before | now | usedBit
  return after === before ? known : replaced(known, at, text(after))
}

/** Takes a new point in; `hand` is where forgetting goes on. Returns the text and the hand. */
export function keep(known: string, { at, now }: Point, hand: number): { known: string; hand: number } {
  let entry = ''
  for (let d = 0; d < dimensions; d++) entry += text(step(at[d]!))
  entry += text(now | usedBit)
  if (known.length < most * width) return { known: [known, entry].join(''), hand }
  const kept = makeRoom(known, hand)
  return { known: replaced(kept.known, kept.index * width, entry), hand: (kept.index + 1) % most }
}

function makeRoom(known: string, hand: number): { known: string; index: number } {
  let index = hand
  let rest = known
  for (;;) {
    const at = index * width + 2 * dimensions
    const bits = number(rest, at)
    if ((bits & usedBit) === 0) return { known: rest, index }
    rest = replaced(rest, at, text(bits & ~usedBit))
    index = (index + 1) % most
  }
}

/** The same points in another frame of one dimension: each step x becomes x * `factor` + `shift`. */
export function reframe(known: string, dimension: number, factor: number, shift: number): string {
  let out = ''
  for (let at = 0; at < known.length; at += width) {
    const here = at + 2 * dimension
    out += known.slice(at, here) + text(step(number(known, here) * factor + shift)) + known.slice(here + 2, at + width)
  }
  return out
}

/** Where the point at `index` lies in one dimension, in steps. */
export function coordinate(known: string, index: number, dimension: number): number {
  return number(known, index * width + 2 * dimension)
}

export function inFrame(at: number): number {
  return at > 0 ? Math.min(at, span - 1) : 0
}

function step(at: number): number {
  return Math.round(inFrame(at))
}

function number(known: string, at: number): number {
  return (known.charCodeAt(at) - first) * letters + known.charCodeAt(at + 1) - first
}

function text(value: number): string {
  return String.fromCharCode(first + Math.floor(value / letters), first + (value % letters))
}

/** Joined, not added: a sum of texts is kept as its parts, which takes more memory and is slower to read. */
function replaced(known: string, at: number, by: string): string {
  return [known.slice(0, at), by, known.slice(at + by.length)].join('')
}
