// Orders for tests: a key of their own, a desk over a source that notes what it is told, and what goes home.

import { generateKeyPairSync } from 'node:crypto'
import type { Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { type OrdersConfig, orders } from '../../../agent/orders/options.ts'
import { signOrder } from '../../../agent/orders/signed.ts'
import { type Desk, openDesk } from '../../../agent/orders.ts'
import type { Act } from '../../../agent/source.ts'
import { teller } from '../../../agent/teller.ts'
import type { Event, Order } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { topic } from '../../../core/topics.ts'

export const now = 1_790_000_000_000
export const at = topic({ tenant: 'default', node: 'gateway-1', channel: 'order' })
export const { publicKey, privateKey } = generateKeyPairSync('ed25519')
export const pem = publicKey.export({ type: 'spki', format: 'pem' })

export function order(id: string, more: Partial<Order> = {}): Order {
  const args = { to: 'lamp.red', value: true }
  return { id, to: 'lamp', action: 'write', args, from: 'operator', issued: now, expires: now + 30_000, ...more }
}

export function signed(order: Order, topic = at): Buffer {
  return signOrder(topic, order, privateKey)
}

export interface Given {
  readonly desk: Desk
  /** Arguments of each act. */
  readonly acts: unknown[]
  readonly events: Event[]
  /** What each event is known by. */
  readonly keys: (string | undefined)[]
  readonly said: string[]
  readonly keep: Keep
  readonly clock: { now: number }
}

export interface GivenOptions {
  readonly allow?: readonly object[]
  readonly keep?: Keep
  readonly write?: Act
  readonly clock?: { now: number }
  emit?(event: Event): Promise<void>
}

export function given(t: Test, options: GivenOptions = {}): Given {
  const { allow = [{ source: 'lamp', action: 'write' }], keep = memoryKeep(), write, clock = { now }, emit } = options
  const place = new Place()
  const config: OrdersConfig = orders.read({ key: `${t.testdir({ 'key.pem': pem })}/key.pem`, allow }, place)
  t.strictSame(place.problems, [])
  const acts: unknown[] = []
  const events: Event[] = []
  const keys: (string | undefined)[] = []
  const said: string[] = []
  const noted: Act = async (args, signal) => {
    acts.push(args)
    return write?.(args, signal) ?? { value: args.value ?? null }
  }
  const host = { now: () => clock.now, sleep: async () => void (await new Promise(setImmediate)) }
  const common = { host, say: (_: string, m: string) => void said.push(m), signal: new AbortController().signal }
  const told = teller({
    ...common,
    emit: async o => {
      for (const event of o.events) {
        await emit?.(event)
        events.push(event)
        keys.push(o.once)
      }
    },
  })
  const desk = openDesk({ ...common, config, keep, teller: told, actions: new Map([['lamp', { write: noted }]]) })
  return { desk, acts, events, keys, said, keep, clock }
}
