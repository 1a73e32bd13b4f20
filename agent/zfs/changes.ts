// The states of a pool, and what is news of them.

import type { Event, Severity } from '../../core/model.ts'
import type { EventKind } from '../metric.ts'

export const poolStates = ['online', 'degraded', 'faulted', 'offline', 'removed', 'unavail', 'suspended'] as const
export type PoolState = (typeof poolStates)[number]

export const events: readonly EventKind[] = [
  {
    name: 'system.zfs.pool.state_changed',
    attributes: ['system.zfs.pool.name', 'system.zfs.pool.state'],
    origin: '/proc/spl/kstat/zfs/*/state',
    brief: 'a pool came into another state; one that is seen for the first time was online before',
  },
]

const severities: Readonly<Record<PoolState, Severity>> = {
  online: 'info',
  degraded: 'error',
  faulted: 'critical',
  offline: 'warning',
  removed: 'critical',
  unavail: 'critical',
  suspended: 'critical',
}

export function eventOf(pool: string, before: PoolState, now: PoolState, time: number): Event | undefined {
  if (now === before) return undefined
  return {
    name: 'system.zfs.pool.state_changed',
    time,
    severity: severities[now],
    body: { before, now },
    attributes: { 'system.zfs.pool.name': pool, 'system.zfs.pool.state': now },
  }
}
