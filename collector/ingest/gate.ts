// What one node may do to the others: how fast it may send, how much at once, and which times are believed.
// Pure state; the time is passed in. Nothing here is written down: after a restart every node begins afresh.

import type { Parcel } from './inbox-store.ts'

/** Taken; refused for ever, with why; or not now, with the milliseconds to wait and whether it is by the node's own fault. */
export type Ruling = undefined | { readonly refused: string } | { readonly retry_after: number; readonly flood?: true }

/** An unsequenced sender was told to wait. */
export class Busy extends Error {
  override readonly name = 'Busy'
  /** Milliseconds. */
  readonly retry_after: number

  constructor(retryAfter: number) {
    super(`not now; try again in ${retryAfter} ms`)
    this.retry_after = retryAfter
  }
}

/** What one node may send; an event counts as a sample. */
export interface Limits {
  readonly bytes_per_second: number
  readonly samples_per_second: number
  readonly series: number
}

export interface GateOptions {
  readonly limits: Limits
  /** Data older than this is not kept, so it is not taken, ms. */
  readonly retention_age: number
  /** A collector whose clock is before this time has not been set: nobody is judged by it. */
  readonly clock_floor: number
}

export const maxPayload = 4 * 1024 ** 2
export const maxSamples = 100_000
/** An edge's clock may be an hour off and its zone may be mistaken for UTC; a day covers both. */
export const maxAhead = 25 * 3_600_000
/** Nodes known at once. */
export const maxNodes = 20_000

/** Seconds of its rate that a node may send at once, as when it comes back after an outage. */
const burst = 10
/** What any envelope costs, in bytes: a commit is not free. */
const leastCost = 1024
const clockWait = 60_000
const nodesWait = 60_000

interface Bucket {
  bytes: number
  samples: number
  at: number
}

export class Gate {
  readonly #options: GateOptions
  readonly #buckets = new Map<string, Bucket>()

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Rules over what comes next from a node and charges it when it is taken or refused. */
  rule(parcel: Parcel, now: number): Ruling {
    if (now < this.#options.clock_floor) return { retry_after: clockWait }
    const bucket = this.#bucket(parcel.node, now)
    if (bucket === undefined) return { retry_after: nodesWait }
    const wait = this.#wait(bucket)
    if (wait > 0) return { retry_after: wait, flood: true }
    bucket.bytes -= leastCost + parcel.payload.length
    bucket.samples -= parcel.samples + parcel.events
    const refused = this.#objection(parcel, now)
    return refused === undefined ? undefined : { refused }
  }

  /** What turned out only on opening a parcel. */
  charge(node: string, samples: number, bytes: number): void {
    const bucket = this.#buckets.get(node)
    if (bucket === undefined) return
    bucket.samples -= samples
    bucket.bytes -= bytes
  }

  #objection({ node, payload, samples, events, firstTime, lastTime }: Parcel, now: number): string | undefined {
    if (payload.length > maxPayload) return `${node}: ${payload.length} bytes in one envelope, at most ${maxPayload}`
    if (samples + events > maxSamples)
      return `${node}: ${samples + events} samples in one envelope, at most ${maxSamples}`
    if (firstTime > lastTime) return `${node}: its first time ${day(firstTime)} is after its last ${day(lastTime)}`
    if (lastTime > now + maxAhead) return `${node}: dated ${day(lastTime)}, which is to come; is its clock set?`
    const oldest = now - this.#options.retention_age
    if (firstTime < oldest) return `${node}: dated ${day(firstTime)}, kept is only what is after ${day(oldest)}`
    return undefined
  }

  #bucket(node: string, now: number): Bucket | undefined {
    const { bytes_per_second, samples_per_second } = this.#options.limits
    const full = { bytes: bytes_per_second * burst, samples: samples_per_second * burst }
    const bucket = this.#buckets.get(node)
    if (bucket === undefined) return this.#addBucket(node, { ...full, at: now }, now)
    // A clock set back gives nothing and takes nothing.
    const seconds = Math.max(0, now - bucket.at) / 1000
    bucket.bytes = Math.min(full.bytes, bucket.bytes + seconds * bytes_per_second)
    bucket.samples = Math.min(full.samples, bucket.samples + seconds * samples_per_second)
    bucket.at = now
    return bucket
  }

  /** A node that was quiet long enough to have a full bucket need not be remembered. */
  #addBucket(node: string, bucket: Bucket, now: number): Bucket | undefined {
    if (this.#buckets.size >= maxNodes) {
      for (const [name, { at }] of this.#buckets) if (now - at > 60_000) this.#buckets.delete(name)
    }
    if (this.#buckets.size >= maxNodes) return undefined
    this.#buckets.set(node, bucket)
    return bucket
  }

  /** Milliseconds until both buckets are above zero: one parcel larger than what is left is let through, then paid off. */
  #wait({ bytes, samples }: Bucket): number {
    const { bytes_per_second, samples_per_second } = this.#options.limits
    const seconds = Math.max(-bytes / bytes_per_second, -samples / samples_per_second)
    return seconds < 0 ? 0 : Math.min(60_000, Math.max(100, Math.ceil(seconds * 1000)))
  }
}

function day(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 10)
}
