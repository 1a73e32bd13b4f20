// No spool, for an agent that has nobody to send to: what it reads is shown at /metrics and kept nowhere, so it needs no
// folder that can be written.

import type { Spool, SpoolStats } from '../spool.ts'
import { nothingCounted } from './state.ts'

const empty: SpoolStats = { bytes: 0, envelopes: 0, oldest: undefined, ...nothingCounted }

export function noSpool(): Spool {
  return {
    id: 'none',
    put: async () => {},
    knows: () => false,
    take: () => [],
    settle: () => {},
    rotate: () => {},
    waiting: async () => {},
    refused: () => [],
    stats: () => empty,
    close: async () => {},
  }
}
