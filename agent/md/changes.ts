// What is news about an array: pure, from what was known of it before and what it is now.

import type { Event } from '../../core/model.ts'
import type { EventKind } from '../metric.ts'
import type { MdArray } from './mdstat.ts'

export const states = ['ok', 'degraded', 'failed'] as const
export type MdState = (typeof states)[number]

/** What is remembered of an array, over restarts too. */
export interface MdMemory {
  readonly state: MdState
  readonly failed: readonly string[]
  readonly checking: boolean
}

const kind = (name: string, brief: string, ...more: string[]): EventKind => ({
  name: `system.md.${name}`,
  attributes: ['system.device.name', ...more],
  origin: '/proc/mdstat',
  brief,
})
export const events: readonly EventKind[] = [
  kind('degraded', 'an array has lost redundancy'),
  kind('failed', 'an array works no more: not started, or without disks that it needs'),
  kind('recovered', 'an array has all its disks again'),
  kind('disk_failed', 'a disk of an array was marked as failed', 'system.md.disk.name'),
  kind('mismatches', 'a check found copies or parity that differ'),
]

/**
 * Undefined where there is none, as a container of metadata is never started itself; and where nothing tells: that an array
 * without redundancy is broken shows only in sysfs.
 */
export function stateOf(array: MdArray, broken: boolean | undefined): MdState | undefined {
  if (!array.active) return array.external ? undefined : 'failed'
  if (broken || (array.slots === undefined && failedOf(array).length > 0)) return 'failed'
  if (array.slots === undefined) return broken === undefined ? undefined : 'ok'
  return array.slots.inSync < array.slots.all ? 'degraded' : 'ok'
}

export function memoryOf(array: MdArray, state: MdState): MdMemory {
  return { state, failed: failedOf(array), checking: array.sync?.action === 'check' }
}

/** An array that is seen for the first time was well before: being degraded is news once, old mismatches are not. */
export function changesOf(
  array: MdArray,
  before: MdMemory | undefined,
  now: MdMemory,
  mismatches: number | undefined,
  time: number,
): readonly Event[] {
  const about = { 'system.device.name': array.name }
  const told = (name: string, severity: Event['severity'], body: Event['body'], more = {}): Event => {
    return { name: `system.md.${name}`, time, severity, body, attributes: { ...about, ...more } }
  }
  const failed = now.failed.filter(disk => !before?.failed.includes(disk))
  const events = failed.map(disk => told('disk_failed', 'error', bodyOf(array), { 'system.md.disk.name': disk }))
  if (now.state !== (before?.state ?? 'ok')) {
    const [name, severity] = (
      { ok: ['recovered', 'info'], degraded: ['degraded', 'error'], failed: ['failed', 'critical'] } as const
    )[now.state]
    events.push(told(name, severity, bodyOf(array)))
  }
  if (before?.checking === true && !now.checking && mismatches !== undefined && mismatches > 0) {
    events.push(told('mismatches', 'warning', { ...bodyOf(array), mismatches }))
  }
  return events
}

function bodyOf({ level, slots, ...array }: MdArray) {
  return {
    ...(level === undefined ? {} : { level }),
    ...(slots === undefined ? {} : { disks: slots.all, in_sync: slots.inSync }),
    failed: failedOf(array),
  }
}

function failedOf({ disks }: Pick<MdArray, 'disks'>): readonly string[] {
  return disks.filter(disk => disk.state === 'failed').map(disk => disk.name)
}
