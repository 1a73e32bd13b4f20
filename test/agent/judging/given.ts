// Judgement at an edge for tests, with a clock that the test moves second by second.

import type { Test } from 'tap'
import { Judging } from '../../../agent/judging.ts'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import type { Event, Observation, Series } from '../../../core/model.ts'
import { parts } from '../../../core/parts.ts'
import { Place } from '../../../core/shape.ts'
import { detectors } from '../../../judge/index.ts'

export const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: { zone: 2 } }
export const hot = { type: 'threshold', name: 'hot', metric: 'press.heat', above: 90, severity: 'critical' }
export const start = 1_790_000_000_000

export interface Clock {
  /** Since the start, ms. */
  ms: number
  /** By how much the host's clock is wrong, ms. */
  off?: number
}

export interface Given {
  readonly judging: Judging
  readonly keep: Keep
  readonly clock: Clock
  /** A value that becomes durable now, dated `time` ms after the start. */
  see(value: number, series?: Series, time?: number): void
  /** Lets seconds pass. */
  pass(seconds: number): Promise<void>
  /** `opened hot 0 96`: state, rule, since after the start, value; `.. until` where it ended. */
  readonly told: string[]
  readonly events: Event[]
  /** How many were open when that changed, as `hot=1`. */
  readonly counts: string[]
  readonly said: string[]
  /** Stops in order. */
  stop(): Promise<void>
}

export interface GivenOptions {
  readonly keep?: Keep
  readonly clock?: Clock
  /** Keys that the spool knows; handed on from one run to the next, as the spool is. */
  readonly known?: Set<string>
  /** Throws where the spool takes nothing. */
  put?(observation: Observation): void
}

export function given(t: Test, rules: readonly object[], options: GivenOptions = {}): Given {
  const { keep = memoryKeep(), clock = { ms: 0 }, known = new Set<string>(), put = () => {} } = options
  const place = new Place()
  const read = parts(detectors, 'detector').read(rules, place)
  t.strictSame(place.problems, [])
  const events: Event[] = []
  const told: string[] = []
  const counts: string[] = []
  const said: string[] = []
  const stop = new AbortController()
  let wake = (): void => {}
  const host = {
    now: () => start + clock.ms + (clock.off ?? 0),
    monotonic: () => clock.ms,
    sleep: (_: number, signal: AbortSignal) =>
      new Promise<void>(resolve => {
        wake = resolve
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
  }
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  const judging = new Judging({ node: 'press-1', rules: read, keep, host, say })
  const emit = async (observation: Observation): Promise<void> => {
    put(observation)
    const { once } = observation
    if (once !== undefined && known.has(once)) return
    if (once !== undefined) known.add(once)
    events.push(...observation.events)
    told.push(...observation.events.map(asText))
    const now = observation.samples.map(({ series, value }) => `${series.attributes.rule}=${value}`).join(' ')
    if (now !== '' && now !== counts.at(-1)) counts.push(now)
  }
  const settle = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  const running = judging.run(emit, stop.signal)
  t.teardown(() => stop.abort())
  return {
    ...{ judging, keep, clock, told, events, counts, said },
    see: (value, series = heat, time = clock.ms) =>
      judging.see({ samples: [{ series, time: start + time, value }], events: [] }),
    async pass(seconds) {
      await settle()
      for (let n = 0; n < seconds; n++) {
        clock.ms += 1000
        wake()
        await settle()
      }
    },
    async stop() {
      stop.abort()
      await running
    },
  }
}

function asText({ body }: Event): string {
  const { state, rule, since, until, evidence } = body as {
    state: string
    rule: string
    since: number
    until?: number
    evidence: { value?: number }
  }
  const ended = until === undefined ? '' : `..${until - start}`
  return `${state} ${rule} ${since - start}${ended} ${evidence.value}`
}
