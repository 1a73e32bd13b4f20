// No spool, for an agent that has nobody to send to: what it reads is shown at /metrics and kept nowhere, so it needs no
// folder that can be written.

import type { Spool, SpoolStats } from '../spool.ts'

const empty: SpoolStats = {
  bytes: 0,
  envelopes: 0,
  oldest: undefined,
  put_samples: 0,
  dropped_samples: 0,
  dropped_events: 0,
  dropped_envelopes: 0,
  refused_envelopes: 0,
  salvages: 0,
  protocol_errors: 0,
}

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
