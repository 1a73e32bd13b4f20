// What the spool gave up, said in-band: an event that goes home before the metrics do.

import type { Event } from '../core/model.ts'
import type { Gap } from './spool.ts'

export const gapEvent = 'fieldline.spool.gap'

export function gapToEvent({ stream, cause, envelopes, samples, events, from, to }: Gap, time: number): Event {
  return {
    name: gapEvent,
    time,
    severity: 'warning',
    body: { stream, cause, envelopes, samples, events, from, to },
    attributes: { cause },
  }
}
