// What a message means: samples and events. Pure.

import type { Observation } from '../../core/model.ts'
import type { Message } from './message.ts'

export interface MapContext {
  /** The name of the source, its attribute. */
  readonly source: string
  /** When the message came, ms since the epoch by the gateway's clock. */
  readonly time: number
}

/** @throws Error where the message makes no sense; it is then answered so, and kept aside. */
export function map(message: Message, { source, time }: MapContext): Observation {
  const { type, trigger, controlId } = message
  const sender = message.header.field(3).component()
  const body = { type: `${type}^${trigger}`, control_id: controlId, sender }
  return { samples: [], events: [{ name: 'hl7.message', time, severity: 'info', body, attributes: { source } }] }
}
