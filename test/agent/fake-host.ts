// A host whose time passes only when somebody sleeps, over a fixture tree.

import { type Host, realHost } from '../../core/host.ts'

export interface FakeHost extends Host {
  /** Passes time on both clocks without anybody sleeping: a slow device. */
  pass(ms: number): void
  /** Steps the wall clock alone. */
  step(ms: number): void
  /** Number of sleeps so far: a loop that spins shows here. */
  readonly sleeps: number
}

/** Begins at 2025-01-01T00:00:00Z plus `offset` ms. */
export function fakeHost(root: string, offset = 0): FakeHost {
  let wall = Date.UTC(2025, 0, 1) + offset
  let monotonic = 5000.25
  let sleeps = 0
  const pass = (ms: number): void => {
    wall += ms
    monotonic += ms
  }
  return {
    ...realHost(root),
    // The programs of this machine say nothing of the tree.
    run: async () => undefined,
    stream: () => undefined,
    now: () => wall,
    monotonic: () => monotonic,
    sleep: async (ms, signal) => {
      sleeps++
      if (!signal.aborted) pass(ms)
    },
    pass,
    step: ms => {
      wall += ms
    },
    get sleeps() {
      return sleeps
    },
  }
}
