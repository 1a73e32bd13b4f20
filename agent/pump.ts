// From the spool to one uplink: take, send, settle. Each uplink has its own pump, so that the trouble of one never slows
// another. What waited through an outage follows at a bounded rate behind fresh data.

import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from '../core/backoff.ts'
import { monotonic } from '../core/clock.ts'
import type { Envelope } from '../core/envelope.ts'
import { reason } from '../core/errors.ts'
import type { Say } from '../core/log.ts'
import type { Spool } from './spool.ts'
import type { Delivery, Uplink } from './uplink.ts'

export interface PumpOptions {
  readonly spool: Pick<Spool, 'take' | 'settle' | 'waiting' | 'rotate' | 'stats'>
  readonly uplink: Uplink
  /** The uplink's configured name. */
  readonly name: string
  /** Bytes a second of older streams. */
  readonly backlog_rate: number
  readonly say: Say
  readonly signal: AbortSignal
  /** Monotonic ms; tests give their own. */
  now?(): number
}

const batchBytes = 512 * 1024
/** After an outage of more than this, ms, fresh data goes first. */
const longOutage = 10_000
/** Deliveries in a row that moved nothing before it is called an outage; a call to go back alone is none. */
const idleDeliveries = 3

/** Resolves when the signal has aborted. */
export async function pump(options: PumpOptions): Promise<void> {
  const { spool, name, signal, now = monotonic } = options
  const pause = backoff({ min: 200, max: 15_000 })
  const bucket = tokens(options.backlog_rate, now)
  const outage = watchOutage(options, now)
  while (!signal.aborted) {
    const met = await carry(options, bucket, outage).catch(lost)
    if (signal.aborted) return
    if (met === 'nothing') await something(spool, name, bucket, signal)
    else if (met === 'moved') pause.reset()
    else {
      outage.felt(met)
      await quietly(delay(pause.next(), undefined, { signal }))
    }
  }
}

interface Trouble {
  readonly reason: string
  /** The far end did answer. */
  readonly answered: boolean
}

function lost(error: unknown): Trouble {
  return { reason: reason(error), answered: false }
}

/** Carries one batch. @throws what the uplink or the spool throws: nothing has moved then. */
async function carry(
  { spool, uplink, name, signal }: PumpOptions,
  bucket: Tokens,
  outage: Outage,
): Promise<'nothing' | 'moved' | Trouble> {
  const batch = spool.take(name, batchBytes, bucket.left())
  if (batch.length === 0) return 'nothing'
  const delivery = await uplink.send(batch, signal)
  spool.settle(name, delivery)
  const moved = batch.filter(e => isPassed(e, delivery))
  bucket.spend(moved)
  if (moved.length === 0) return { reason: 'the far end answers, and takes nothing', answered: true }
  outage.over()
  return 'moved'
}

function isPassed({ stream, seq }: Envelope, { committed, refused }: Delivery): boolean {
  return seq <= (committed.get(stream) ?? 0) || refused.some(r => r.stream === stream && r.seq === seq)
}

interface Outage {
  felt(trouble: Trouble): void
  over(): void
}

/** Says once that nothing gets through and once that it does again, and has fresh data go first after a long outage. */
function watchOutage({ spool, name, say }: Pick<PumpOptions, 'spool' | 'name' | 'say'>, now: () => number): Outage {
  let since: number | undefined
  let idle = 0
  let said = false
  return {
    felt({ reason, answered }) {
      since ??= now()
      idle = answered ? idle + 1 : idle
      if (said || (answered && idle < idleDeliveries)) return
      said = true
      say('warning', `uplink ${name}: nothing gets through: ${reason}`, { uplink: name })
    },
    over() {
      if (since === undefined) return
      const lasted = now() - since
      const { envelopes, bytes } = spool.stats()
      if (lasted > longOutage && envelopes > 0) spool.rotate()
      const seconds = Math.round(lasted / 1000)
      const waits = { uplink: name, outage_s: seconds, envelopes, bytes }
      if (said) say('info', `uplink ${name}: works again after ${seconds} s`, waits)
      since = undefined
      idle = 0
      said = false
    },
  }
}

interface Tokens {
  /** Bytes of older streams that may go now. */
  left(): number
  /** Pays for what went of older streams. */
  spend(moved: readonly Envelope[]): void
  /** Ms until clearly more may go than now; undefined when as much as ever may go. */
  refilled(): number | undefined
}

/** One batch may always gather, however low the rate; spending may go below zero, which is paid back first. */
function tokens(rate: number, now: () => number): Tokens {
  const most = Math.max(rate, batchBytes)
  const newest = new Map<string, number>()
  let held = most
  let last = now()
  const refill = (): number => {
    const time = now()
    held = Math.min(most, held + ((time - last) / 1000) * rate)
    last = time
    return held
  }
  return {
    left: () => Math.max(0, Math.floor(refill())),
    spend(moved) {
      refill()
      for (const e of moved) if (isOlder(e, newest)) held -= e.payload.length
    },
    refilled: () => (refill() >= most ? undefined : Math.min(1000, Math.ceil(((most - held) / rate) * 1000))),
  }
}

/** Whether a stream of the same lane with a higher number was met: streams are `<spool>.<lane>.<n>-<salt>`. */
function isOlder({ stream }: Envelope, newest: Map<string, number>): boolean {
  const dot = stream.lastIndexOf('.')
  const lane = stream.slice(0, dot)
  const n = Number.parseInt(stream.slice(dot + 1), 10)
  const highest = newest.get(lane) ?? 0
  if (n > highest) newest.set(lane, n)
  return n < highest
}

/** Waits for data, or for leave to send older data. */
async function something(
  spool: PumpOptions['spool'],
  name: string,
  bucket: Tokens,
  signal: AbortSignal,
): Promise<void> {
  const leave = bucket.refilled()
  if (leave === undefined) return spool.waiting(name, signal)
  const enough = new AbortController()
  const until = AbortSignal.any([signal, enough.signal])
  await Promise.race([spool.waiting(name, until), quietly(delay(leave, undefined, { signal: until }))])
  enough.abort()
}

/** An aborted pause is a pause that is over. */
function quietly(pause: Promise<unknown>): Promise<void> {
  return pause.then(
    () => undefined,
    () => undefined,
  )
}
