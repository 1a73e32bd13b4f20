// Events and attributes as people read them, each on one line.

import { oneLine } from '../core/log.ts'
import type { Attributes, Event } from '../core/model.ts'

export function eventText({ name, severity, body, attributes }: Event): string {
  return oneLine(`${severity} ${name} ${JSON.stringify(body)} ${attributesText(attributes)}`)
}

export function attributesText(attributes: Attributes): string {
  return oneLine(
    Object.entries(attributes)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  )
}
