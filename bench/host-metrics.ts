// What hosts and machines read, made up: the same for every run.

import type { Series } from '../core/model.ts'
import { random } from '../test/random.ts'

export interface Readings {
  /** Numbers of series. */
  readonly which: Uint32Array
  readonly times: Float64Array
  readonly values: Float64Array
}

/** Series like a host's: time and byte counters, sizes in bytes, percentages, temperatures and unrounded ratios. */
export function hostMetrics(count: number): {
  series: Series[]
  read(from: number, to: number, interval: number): Readings
} {
  const dice = random(1)
  const state = Float64Array.from({ length: count }, () => dice.below(1e6))
  const kinds = [
    { name: 'system.cpu.time', unit: 's', next: (v: number) => Math.round((v + dice.below(110) / 100) * 100) / 100 },
    { name: 'system.network.io', unit: 'By', next: (v: number) => v + dice.below(200_000) },
    { name: 'system.disk.operations', unit: '{operation}', next: (v: number) => v + dice.below(40) },
    { name: 'system.network.errors', unit: '{error}', next: (v: number) => v + (dice.below(5000) === 0 ? 1 : 0) },
    { name: 'system.memory.usage', unit: 'By', next: (v: number) => Math.max(0, v + 4096 * (dice.below(41) - 20)) },
    { name: 'system.cpu.load', unit: '1', next: (v: number) => Math.round((v * 0.9 + dice.below(40)) * 10) / 1000 },
    { name: 'hw.temperature', unit: 'Cel', next: () => 40 + dice.below(20) / 10 },
    { name: 'system.memory.utilization', unit: '1', next: () => 0.5 + dice.below(1e6) / 3e6 },
    { name: 'system.filesystem.usage', unit: 'By', next: (v: number) => v + (dice.below(10) === 0 ? 4096 : 0) },
    { name: 'plc.register', unit: '1', next: () => dice.below(4) },
  ]
  const series = Array.from({ length: count }, (_, n): Series => {
    const { name, unit } = kinds[n % kinds.length]!
    return {
      name,
      unit,
      kind: n % kinds.length < 4 || n % kinds.length === 8 ? 'counter' : 'gauge',
      attributes: { device: `d${n}`, direction: Math.floor(n / kinds.length) % 2 === 0 ? 'read' : 'write' },
    }
  })
  const read = (from: number, to: number, interval: number): Readings => {
    const rounds = (to - from) / interval
    const readings = {
      which: new Uint32Array(rounds * count),
      times: new Float64Array(rounds * count),
      values: new Float64Array(rounds * count),
    }
    for (let at = 0, time = from; time < to; time += interval) {
      const read = time + dice.below(4)
      for (let n = 0; n < count; n++, at++) {
        state[n] = kinds[n % kinds.length]!.next(state[n]!)
        readings.which[at] = n
        readings.times[at] = read
        readings.values[at] = state[n]!
      }
    }
    return readings
  }
  return { series, read }
}
