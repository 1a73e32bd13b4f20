// What the collector does by the clock rather than on arrival, in slices that do not hold the loop.

import { reason } from '../core/errors.ts'
import { type Say, troubles } from '../core/log.ts'
import type { Intake } from './ingest/intake.ts'
import type { MqttIngest } from './ingest/mqtt.ts'
import type { Judging } from './judging.ts'
import type { History, Limits } from './store/history.ts'
import type { CollectorView } from './view.ts'

export interface House {
  readonly history: History
  readonly judging: Judging
  readonly intake: Intake
  readonly view: CollectorView
  readonly mqtt: MqttIngest | undefined
  readonly retention: Limits
  readonly say: Say
  now(): number
}

const second = 1000
/** Samples that one compaction slice may read: some 20 to 80 ms. */
const compactSlice = 100_000
const retainEvery = 60_000

export function housekeeping(house: House): { close(): void } {
  const trouble = troubles(house.say)
  let retained = Number.NEGATIVE_INFINITY
  let retaining = false

  const tick = (): void => {
    const { judging, intake, history, mqtt, view, now } = house
    if (mqtt?.connected === false) judging.deaf(now())
    intake.tick()
    history.compact(compactSlice)
    if (retaining || Math.abs(now() - retained) >= retainEvery) retain()
    view.tick()
  }

  const retain = (): void => {
    const { history, retention, now } = house
    retaining = history.retain(retention)
    if (!retaining) retained = now()
  }

  const timer = setInterval(() => {
    try {
      tick()
      trouble('housekeeping', undefined)
    } catch (error) {
      trouble('housekeeping', `not all was tidied, it is tried again: ${reason(error)}`)
    }
  }, second)
  return { close: () => clearInterval(timer) }
}
