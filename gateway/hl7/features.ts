// What is worth keeping of a piece of a waveform: a few numbers instead of five hundred.

export interface Features {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Root of the mean square, of the values as they are. */
  readonly rms: number
  /** Hz; undefined where no one rhythm stands out, or the piece is shorter than two of its periods. */
  readonly dominant: number | undefined
}

/** Beyond this a piece is thinned before its rhythm is sought: the search is quadratic. */
const most = 1024
/** The slowest breath and the fastest heart, Hz. */
const slowest = 0.05
const fastest = 6
/** How like itself one period later a rhythm must be, 0 to 1. */
const alike = 0.5

/** `values`: at least one. `rate` in Hz. */
export function featuresOf(values: readonly number[], rate: number | undefined): Features {
  let [min, max, sum, squares] = [values[0]!, values[0]!, 0, 0]
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
    sum += value
    squares += value * value
  }
  const count = values.length
  const mean = sum / count
  const rhythm = rate === undefined || max === min ? undefined : rhythmOf(values, rate, mean)
  return { count, min, max, mean, rms: Math.sqrt(squares / count), dominant: rhythm }
}

/** The first high peak of the autocorrelation; a spike train has all harmonics, so that a spectrum would mislead. */
function rhythmOf(all: readonly number[], rate: number, mean: number): number | undefined {
  const step = Math.ceil(all.length / most)
  const values = step === 1 ? all : all.filter((_, n) => n % step === 0)
  const hz = rate / step
  const shortest = Math.max(2, Math.floor(hz / fastest))
  const longest = Math.min(Math.floor(values.length / 2), Math.ceil(hz / slowest))
  const likeness = Array.from({ length: Math.max(0, longest + 2) }, (_, lag) => correlation(values, mean, lag))
  let best: number | undefined
  for (let lag = shortest; lag <= longest; lag++) {
    const here = likeness[lag]!
    const isPeak = here > likeness[lag - 1]! && here >= likeness[lag + 1]!
    if (isPeak && here >= alike && (best === undefined || here > likeness[best]! * 1.1)) best = lag
  }
  return best === undefined ? undefined : hz / best
}

/** Pearson's, of a piece and itself so many values later, about the mean of the whole. */
function correlation(values: readonly number[], mean: number, lag: number): number {
  let [product, early, late] = [0, 0, 0]
  for (let n = lag; n < values.length; n++) {
    const [a, b] = [values[n - lag]! - mean, values[n]! - mean]
    product += a * b
    early += a * a
    late += b * b
  }
  return early === 0 || late === 0 ? 0 : product / Math.sqrt(early * late)
}
