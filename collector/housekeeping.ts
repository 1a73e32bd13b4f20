// What the collector does by the clock rather than on arrival, in slices that do not hold the loop.

import { reason } from '../core/errors.ts'
import { type Say, troubles } from '../core/log.ts'
import type { Incidents } from './incidents.ts'
import type { Intake } from './ingest/intake.ts'
import type { MqttIngest } from './ingest/mqtt.ts'
import type { Judging } from './judging.ts'
import type { History, Limits } from './store/history.ts'
import type { CollectorView } from './view.ts'

export interface House {
  readonly history: History
  readonly judging: Judging
  readonly incidents: Incidents
  readonly intake: Intake
  readonly view: CollectorView
  readonly mqtt: MqttIngest | undefined
  readonly retention: Limits
  readonly say: Say
  now(): number
}

const second = 1000
/** Samples that one compaction slice may read: some 10 to 40 ms. */
const compactSlice = 50_000
/** While there is more to compact, a slice rests for so many times what it took: it takes a quarter of the loop. */
const compactRest = 3
const retainEvery = 60_000

export function housekeeping(house: House): { close(): void } {
  const trouble = troubles(house.say)
  let retained = Number.NEGATIVE_INFINITY
  let retaining = false

  const tick = (): void => {
    const { judging, incidents, intake, mqtt, view, now } = house
    if (mqtt?.connected === false) judging.deaf(now())
    incidents.tick(now())
    intake.tick()
    if (retaining || Math.abs(now() - retained) >= retainEvery) retain()
    view.tick()
  }

  const retain = (): void => {
    const { history, retention, now } = house
    retaining = history.retain(retention)
    if (!retaining) retained = now()
  }

  const attempt = (what: string, work: () => void): void => {
    try {
      work()
      trouble(what, undefined)
    } catch (error) {
      trouble(what, `not all was tidied, it is tried again: ${reason(error)}`)
    }
  }

  const compact = (): void => {
    const begun = performance.now()
    let read = 0
    attempt('compaction', () => {
      read = house.history.compact(compactSlice)
    })
    const rest = read < compactSlice ? second : (performance.now() - begun) * compactRest
    compacting = setTimeout(compact, rest)
  }

  let compacting = setTimeout(compact, second)
  const timer = setInterval(() => attempt('housekeeping', tick), second)
  const close = (): void => {
    clearInterval(timer)
    clearTimeout(compacting)
  }
  return { close }
}
