// What lasts is told when it changes: the same fault of the same series once, and once that it is over.

import type { Event, Severity } from '../../core/model.ts'
import type { Draft } from './memory.ts'
import type { Subject } from './subject.ts'

export interface Telling {
  readonly name: string
  readonly severity: Severity
  readonly time: number
  readonly body?: Event['body']
  readonly attributes?: Event['attributes']
}

/** Keeps a state by `key`; the events are `begin` where it became `state`, and `end` where it stopped being any. */
export function tellChange(
  told: Draft['told'],
  key: string,
  state: string | undefined,
  { begin, end }: { readonly begin: Telling; readonly end?: Telling },
  subject: Subject,
): readonly Event[] {
  const before = told.get(key)
  if (before === state) return []
  if (state !== undefined) {
    told.set(key, state)
    return [eventOf(begin, subject)]
  }
  told.delete(key)
  return end === undefined ? [] : [eventOf(end, subject)]
}

export function eventOf({ name, severity, time, body, attributes }: Telling, subject: Subject): Event {
  return { name, severity, time, body: body ?? {}, attributes: { ...subject.attributes, ...attributes } }
}
