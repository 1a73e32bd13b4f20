// The state of a drive's last self-test, told alike for each kind of drive.

import { metrics } from './metrics.ts'
import type { Entry, Told } from './told.ts'

export const testStates = ['passed', 'failed', 'aborted', 'running'] as const
export type TestState = (typeof testStates)[number]

export function severityOf(state: TestState | undefined): Entry['severity'] {
  return state === 'failed' ? 'error' : 'info'
}

/** `remaining` in percent. */
export function tellSelfTest(told: Told, state: TestState | undefined, remaining: number | undefined): void {
  if (state === undefined) return
  for (const one of testStates) {
    told.value(metrics.selfTest, one === state ? 1 : 0, { 'hw.physical_disk.self_test.state': one })
  }
  if (state === 'running') {
    told.value(metrics.selfTestRemaining, remaining === undefined ? undefined : remaining / 100)
  }
}
