// A spool without a disk: keeps the contract of agent/spool.ts for one uplink, for tests of what empties it.

import type { Lane, Spool } from '../../agent/spool.ts'
import type { Delivery } from '../../agent/uplink.ts'
import type { Envelope } from '../../core/envelope.ts'
import { envelope } from './uplinks/batch.ts'

export interface MemorySpool extends Pick<Spool, 'take' | 'settle' | 'waiting' | 'rotate' | 'stats'> {
  put(payload?: Uint8Array, lane?: Lane): Envelope
  readonly held: readonly Envelope[]
  readonly refused: readonly Envelope[]
  readonly rotations: number
}

export function memorySpool(node: string, id: string): MemorySpool {
  let held: Envelope[] = []
  const refused: Envelope[] = []
  const last = new Map<string, number>()
  let number = 1
  let wake = (): void => {}
  let news = false
  const isCurrent = (e: Envelope): boolean => e.stream.endsWith(`.${number}-salt`) || e.stream.includes('.events.')
  return {
    get held() {
      return held
    },
    refused,
    get rotations() {
      return number - 1
    },
    put(payload, lane = 'metrics') {
      const stream = `${id}.${lane}.${number}-salt`
      const seq = (last.get(stream) ?? 0) + 1
      last.set(stream, seq)
      const made = envelope(seq, { node, stream, previous: 0, ...(payload && { payload }) })
      held.push(made)
      news = true
      wake()
      return made
    },
    take(_, maxBytes, backlogBytes) {
      news = false
      const taken: Envelope[] = []
      let [bytes, older] = [0, 0]
      for (const e of [...held.filter(isCurrent), ...held.filter(e => !isCurrent(e))]) {
        bytes += e.payload.length
        if (!isCurrent(e)) older += e.payload.length
        if ((bytes > maxBytes && taken.length > 0) || older > backlogBytes) break
        taken.push({ ...e, previous: held.filter(h => h.stream === e.stream && h.seq < e.seq).at(-1)?.seq ?? 0 })
      }
      return taken
    },
    settle(_, delivery: Delivery) {
      const isRefused = (e: Envelope): boolean => delivery.refused.some(r => r.stream === e.stream && r.seq === e.seq)
      refused.push(...held.filter(isRefused))
      held = held.filter(e => !isRefused(e) && e.seq > (delivery.committed.get(e.stream) ?? 0))
    },
    waiting: (_, signal) =>
      new Promise(resolve => {
        wake = resolve
        if (news || signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
    rotate() {
      number++
    },
    stats: () => ({
      bytes: held.reduce((sum, e) => sum + e.payload.length, 0),
      envelopes: held.length,
      oldest: held[0]?.firstTime,
      put_samples: 0,
      dropped_samples: 0,
      dropped_events: 0,
      protocol_errors: 0,
      dropped_envelopes: 0,
      refused_envelopes: refused.length,
      salvages: 0,
    }),
  }
}
