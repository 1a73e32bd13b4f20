// A source whose every value is another one, and who writes down which of them it was told are safe. Afterwards those
// are looked for in history: each exactly once.

import { setTimeout as delay } from 'node:timers/promises'
import { polled } from '../../agent/polled.ts'
import type { Source, Surroundings } from '../../agent/source.ts'
import type { History } from '../../collector/store/history.ts'
import type { Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'

export const seriesName = 'witness'
/** After `emit` threw, ms. */
const again = 20

export interface WitnessOptions {
  /** Samples an observation, each of another series. */
  readonly width?: number
  /** Between observations, ms. */
  readonly pause?: number
  /** Values that do not compress. */
  readonly fat?: boolean
}

export class Witness {
  /** Values that `emit` resolved for. */
  readonly told: number[] = []
  /** How many values were read, the last one included. */
  read = 0
  /** How often `emit` threw. */
  throws = 0
  /** May be changed while it runs. */
  pause: number
  readonly #series: readonly Series[]
  readonly #fat: boolean

  constructor({ width = 3, pause = 5, fat = false }: WitnessOptions = {}) {
    const attributes = Array.from({ length: width }, (_, n) => ({ n }))
    this.#series = attributes.map(a => ({ name: seriesName, unit: '1', kind: 'gauge', attributes: a }))
    this.#fat = fat
    this.pause = pause
  }

  /** Emits as fast as its pause lets it; what `emit` threw at it still owns, and tries again. */
  get source(): Source<unknown> {
    return {
      name: 'witness',
      options: object({}),
      metrics: undefined,
      open: (_, at) => ({ run: (emit, signal) => this.#run(at, emit, signal) }),
    }
  }

  /** The same through `polled`, every 100 ms: what is told is between it and its outbox. */
  get polled(): Source<unknown> {
    return {
      name: 'witness',
      options: object({}),
      metrics: undefined,
      open: (_, at) => polled({ ...at, interval: 100, read: time => ({ samples: this.#samples(time), events: [] }) }),
    }
  }

  /** One observation dated `time`. */
  #samples(time: number): readonly Sample[] {
    return this.#series.map(series => ({ series, time, value: this.#fat ? this.read++ + Math.random() : this.read++ }))
  }

  async #run(
    { host }: Surroundings,
    emit: Parameters<ReturnType<Source<unknown>['open']>['run']>[0],
    signal: AbortSignal,
  ) {
    while (!signal.aborted) {
      const samples = this.#samples(host.now())
      while (!signal.aborted) {
        try {
          await emit({ samples, events: [] })
          for (const { value } of samples) this.told.push(value)
          break
        } catch {
          this.throws++
          await delay(again)
        }
      }
      await delay(this.pause, undefined, { signal }).catch(() => undefined)
    }
  }
}

export interface Account {
  readonly told: number
  readonly stored: number
  /** Told and not in history. */
  readonly lost: readonly number[]
  /** In history more than once. */
  readonly doubled: readonly number[]
}

export function account(told: readonly number[], history: History, node: string): Account {
  const refs = history.find({ node, name: seriesName })
  const stored = refs.flatMap(ref => [...history.range(ref, 0, Number.MAX_SAFE_INTEGER).values])
  const seen = new Set<number>()
  const doubled = stored.filter(value => seen.size === seen.add(value).size)
  return { told: told.length, stored: stored.length, lost: told.filter(value => !seen.has(value)), doubled }
}
