// Faults put into rows of a real machine, and whether those series are blamed: one to three of them shifted by a third of
// their range, two exchanged, or one to three standing still, for two hours from each of some moments on. Only
// series that move are taken; a fault that changes nothing cannot be seen.

import { Place } from '../core/shape.ts'
import { host } from '../judge/detect/host.ts'
import { blame } from '../judge/detect/host-said.ts'
import type { HostState } from '../judge/detect/host-state.ts'
import { seriesOf, stepRow } from './smd.ts'
import type { Machine } from './smd-data.ts'
import { generator } from './smd-rivals.ts'

export const faults = ['shifted', 'exchanged', 'frozen'] as const
type Fault = (typeof faults)[number]

export interface Blamed {
  readonly fault: Fault
  /** Of the series at fault, how many are among the three that are blamed most in its last minute. */
  readonly share: number
  /** The most blamed one is at fault. */
  readonly first: boolean
}

const lasts = 120

/** `moments`: states as of rows of `test`, as JSON. */
export function blamedRightly(machine: Machine, moments: ReadonlyMap<number, string>): readonly Blamed[] {
  const next = generator(1)
  return [...moments].flatMap(([at, state]) => {
    const isCalm = at + lasts < machine.test.length && !machine.labels.slice(at - lasts, at + lasts).includes(1)
    const moving = isCalm ? movingSeries(machine, at) : []
    if (moving.length < 3) return []
    return faults.map(fault => {
      const count = fault === 'exchanged' ? 2 : 1 + Math.floor(next() * 3)
      const wrong = moving.toSorted(() => next() - 0.5).slice(0, count)
      return { fault, ...tryOut(machine, at, JSON.parse(state), fault, wrong) }
    })
  })
}

function tryOut(machine: Machine, at: number, state: HostState, fault: Fault, wrong: readonly number[]) {
  const detector = host.open(host.options.read({}, new Place()))
  const series = seriesOf(machine)
  for (let n = at; n < at + lasts; n++) {
    stepRow(detector, state, series, machine.train.length + n, faulty(machine, at, n, fault, wrong))
  }
  const blamed = blame(state).map(({ name }) => name)
  const names = wrong.map(s => series[s]!.name)
  const top = blamed.slice(0, 3)
  const found = names.filter(name => top.includes(name)).length
  return { share: found / names.length, first: names.includes(blamed[0]!) }
}

function faulty(machine: Machine, at: number, n: number, fault: Fault, wrong: readonly number[]): Float64Array {
  const row = Float64Array.from(machine.test[n]!)
  if (fault === 'exchanged') {
    const [a, b] = wrong as [number, number]
    row[a] = machine.test[n]![b]!
    row[b] = machine.test[n]![a]!
    return row
  }
  for (const s of wrong) row[s] = fault === 'frozen' ? machine.test[at - 1]![s]! : row[s]! + rangeOf(machine, s) / 3
  return row
}

/** Those whose value changed in most minutes of the two hours before. */
function movingSeries({ test }: Machine, at: number): readonly number[] {
  const changes = (s: number): number => {
    let count = 0
    for (let n = Math.max(1, at - lasts); n < at; n++) if (test[n]![s] !== test[n - 1]![s]) count++
    return count
  }
  return Array.from(test[0]!, (_, s) => s).filter(s => changes(s) > lasts / 2)
}

function rangeOf({ train }: Machine, s: number): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const row of train) {
    low = Math.min(low, row[s]!)
    high = Math.max(high, row[s]!)
  }
  return high - low
}
