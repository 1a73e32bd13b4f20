// What the detector `anomaly` costs by itself: 100,000 series, each with a state of its own, a sample of each in turn, so
// that no state is in the processor's caches when it is needed. The series are of the kinds that hosts have: noise about
// a level, a day's rhythm, counters, steps, flat lines. Learning is over before the clock starts.
// `--series N` (100000), `--rounds N` (30) samples of each, three times.

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Series } from '../core/model.ts'
import { Place } from '../core/shape.ts'
import { anomaly } from '../judge/detect/anomaly.ts'
import { median, table } from './process.ts'

type Value = (series: number, round: number) => number

const start = Date.UTC(2026, 0, 5)
const interval = 10_000
/** Samples before the clock starts. */
const learned = 400

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const gauge: Series = { name: 'bench.gauge', unit: '', kind: 'gauge', attributes: {} }
const counter: Series = { name: 'bench.counter', unit: 'By', kind: 'counter', attributes: {} }

/** Pseudo-random from its arguments, so that nothing is kept a series. */
function noise(series: number, round: number): number {
  let x = Math.imul(series + 1, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32
}

const kinds: readonly (readonly [Series, Value])[] = [
  [gauge, (s, r) => 50 + s + 10 * noise(s, r)],
  [gauge, (s, r) => 100 + 80 * Math.sin(r / 1000 + s) + 5 * noise(s, r)],
  [counter, (s, r) => r * 1e6 + 5e5 * noise(s, r)],
  [gauge, (s, r) => Math.floor((r + s) / 200) % 3],
  [gauge, s => s],
  [gauge, (s, r) => (noise(s, r) < 0.02 ? 1000 : 1) * noise(s, r + 1)],
]

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: [...args],
    options: { series: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '30' } },
  })
  const count = Number(values.series)
  const rounds = Number(values.rounds)
  const detector = anomaly.open(anomaly.options.read({}, new Place()))
  const before = heap()
  const states = Array.from({ length: count }, (_, n) => detector.start(kinds[n % kinds.length]![0]))
  const pass = (from: number, to: number) => {
    for (let round = from; round < to; round++) {
      const time = start + round * interval
      for (let n = 0; n < count; n++) detector.step(states[n], time, kinds[n % kinds.length]![1](n, round))
    }
  }
  pass(0, learned)
  const bytes = (heap() - before) / count
  const made = [1, 2, 3].map(
    n => measure(() => pass(learned + n * rounds, learned + (n + 1) * rounds)) / (count * rounds),
  )
  const making = measure(() => makeOnly(count, rounds)) / (count * rounds)
  const each = median(made) - making
  const checkpoint =
    states.reduce<number>((sum, state) => sum + JSON.stringify(detector.save?.(state)).length, 0) / count
  const figures = {
    series: count,
    samples_per_cpu_s: Math.round(1 / each),
    bytes_per_series: Math.round(bytes),
    checkpoint_bytes: Math.round(checkpoint),
    making_values_ns: Math.round(making * 1e9),
  }
  table([figures])
  return figures
}

/** What making the values costs, which is none of the detector's. */
function makeOnly(count: number, rounds: number): number {
  let sum = 0
  for (let round = 0; round < rounds; round++)
    for (let n = 0; n < count; n++) sum += kinds[n % kinds.length]![1](n, round)
  return sum
}

/** CPU seconds of the process, garbage collection with it. */
function measure(work: () => void): number {
  const from = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6
}

function heap(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
