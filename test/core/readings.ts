// Readings of a made-up host in OTLP, for the tests of what is compressed after another: 200 series, of which a third has
// changed from one to the next.

import type { Series } from '../../core/model.ts'
import { metricsEncoder } from '../../core/otlp/encode.ts'
import { type Random, random as seededBy } from '../random.ts'

export const time = Date.UTC(2026, 5, 1, 12)

const names = [
  'cpu.time',
  'memory.usage',
  'disk.io',
  'network.io',
  'network.errors',
  'filesystem.usage',
  'paging.faults',
]
const series = Array.from({ length: 200 }, (_, n): Series => {
  const attributes = { device: `device${n % 13}`, direction: n % 2 === 0 ? 'receive' : 'transmit' }
  return { name: `system.${names[n % names.length]}`, unit: 'By', kind: n % 3 === 0 ? 'counter' : 'gauge', attributes }
})
const encode = metricsEncoder({ 'host.name': 'web-1', 'os.type': 'linux' })

/** The n-th, 10 s after the one before; of `count` series. */
export function reading(n: number, { random = seededBy(n), count = series.length }: Options = {}): Buffer {
  const samples = series.slice(0, count).map((series, i) => {
    return { series, time: time + 10_000 * n, value: i % 3 === 0 ? 1e6 * i + random.below(1000) : i * 1.1 }
  })
  return Buffer.from(encode(samples))
}

interface Options {
  readonly random?: Random
  readonly count?: number
}
