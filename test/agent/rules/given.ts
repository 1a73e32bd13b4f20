// Rules for tests: over sources that note what they are told to do, and a clock that the test moves.

import type { Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { rules } from '../../../agent/rules/options.ts'
import { openRules } from '../../../agent/rules.ts'
import type { Act } from '../../../agent/source.ts'
import { teller } from '../../../agent/teller.ts'
import type { Event, Series } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'

export const spo2: Series = { name: 'spo2', unit: '%', kind: 'gauge', attributes: { bed: 2 } }

/** Beside the lamp's `when`. */
export const lamp = {
  name: 'alarm',
  when: { metric: 'spo2', below: 90, clear: 92 },
  then: [
    { event: { name: 'ward.alarm', severity: 'critical', message: 'SpO2 is low' } },
    { write: { source: 'lamp', to: 'lamp.red', value: true } },
  ],
  otherwise: [{ event: { name: 'ward.alarm.end' } }, { write: { source: 'lamp', to: 'lamp.red', value: false } }],
}

export interface Given {
  /** A value of SpO2, emitted by the source `monitor`, whose clock is so far ahead, ms. */
  see(value: number, series?: Series, ahead?: number): Promise<void>
  /** Passes time and lets everything that is due happen. */
  pass(ms: number): Promise<void>
  /** What was done: `write lamp.red true`, `publish topic payload`. */
  readonly done: string[]
  readonly events: Event[]
  readonly keep: Keep
}

export interface GivenOptions {
  readonly keep?: Keep
  readonly act?: Act
  /** What takes observations before the rules see them. */
  emit?(): Promise<void>
  publish?(): Promise<void>
  /** Ms since the start of the clock. */
  readonly time?: number
}

export function given(t: Test, raw: readonly object[], options: GivenOptions = {}): Given {
  const { keep = memoryKeep(), act, publish, time = 0 } = options
  const place = new Place()
  const read = rules.read(raw, place)
  t.strictSame(place.problems, [])
  const clock = { ms: time }
  const sleepers = new Set<{ until: number; wake(): void }>()
  const stop = new AbortController()
  const host = {
    now: () => 1_790_000_000_000 + clock.ms,
    monotonic: () => clock.ms,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>(resolve => {
        const sleeper = { until: clock.ms + ms, wake: resolve }
        sleepers.add(sleeper)
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve())
      }),
  }
  const done: string[] = []
  const events: Event[] = []
  const common = { host, say: () => {}, signal: stop.signal }
  const told = teller({ ...common, emit: async o => void events.push(...o.events) })
  const note =
    (name: string): Act =>
    async (args, signal) => {
      done.push(`${name} ${Object.values(args).join(' ')}`)
      return act === undefined ? null : act(args, signal)
    }
  const lampActions = { write: note('write'), call: note('call') }
  const opened = openRules({
    ...common,
    rules: read,
    keep,
    teller: told,
    actions: new Map([
      ['lamp', lampActions],
      ['press', lampActions],
    ]),
    publish: async (uplink, topic, payload, retain) => {
      done.push(`publish ${uplink} ${topic} ${payload} ${retain}`)
      await publish?.()
    },
  })
  const emit = opened.watching('monitor', async () => options.emit?.())
  const settle = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5))
  const running = opened.run()
  t.teardown(async () => {
    stop.abort()
    await running
  })
  return {
    async see(value, series = spo2, ahead = 0) {
      await emit({ samples: [{ series, time: host.now() + ahead, value }], events: [] })
      await settle()
    },
    async pass(ms) {
      for (const end = clock.ms + ms; clock.ms < end; ) {
        clock.ms = Math.min(end, ...[...sleepers].map(s => Math.max(s.until, clock.ms + 1)))
        for (const sleeper of sleepers) {
          if (sleeper.until > clock.ms) continue
          sleepers.delete(sleeper)
          sleeper.wake()
        }
        await new Promise(resolve => setImmediate(resolve))
      }
      await settle()
    },
    done,
    events,
    keep,
  }
}
