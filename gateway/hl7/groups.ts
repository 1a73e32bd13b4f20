// A message's segments as they belong together: patient, visit, order, observations (v2.8.2, 7.3.1).

import type { Message } from './message.ts'
import type { Segment } from './segment.ts'

export interface Group {
  readonly patient: Segment | undefined
  readonly visit: Segment | undefined
  /** OBR; undefined where observations stand without an order. */
  readonly order: Segment | undefined
  readonly observations: readonly Segment[]
  /** PRT */
  readonly participants: readonly Segment[]
}

/** One a patient's order; a message without OBX and OBR gives one a patient. */
export function groupsOf(message: Message): readonly Group[] {
  const groups: Open[] = []
  let patient: Segment | undefined
  let visit: Segment | undefined
  let current: Open | undefined
  const begin = (order: Segment | undefined): Open => {
    const group: Open = { patient, visit, order, observations: [], participants: [] }
    groups.push(group)
    return group
  }
  for (const segment of message.segments) {
    if (segment.name === 'PID') {
      patient = segment
      visit = undefined
      current = undefined
    } else if (segment.name === 'PV1') visit = segment
    else if (segment.name === 'OBR') current = begin(segment)
    else if (segment.name === 'OBX') {
      current ??= begin(undefined)
      current.observations.push(segment)
    } else if (segment.name === 'PRT') current?.participants.push(segment)
  }
  return groups
}

interface Open extends Group {
  readonly observations: Segment[]
  readonly participants: Segment[]
}
