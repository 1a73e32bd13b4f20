// From sources to the spool. What sources emit within one moment travels as one envelope a lane: one encoding, one
// compression, one transaction. `emit` resolves when the spool has fsynced; a throw means the source still owns the data.
// A moment is one turn of the event loop, in which all sources that read without waiting emit. Only after a moment that
// others missed by a little is the next one held open for them: waking up again costs more than what it then does.

import { setTimeout as delay } from 'node:timers/promises'
import { constants, zstdCompressSync } from 'node:zlib'
import { backoff } from '../core/backoff.ts'
import { checkDistribution, numbersIn, samplesIn } from '../core/distribution.ts'
import { Refused, reason } from '../core/errors.ts'
import type { Say } from '../core/log.ts'
import type { Attributes, Distribution, Event, Observation, Sample } from '../core/model.ts'
import { encodeLogs, type MetricsEncoder, metricsEncoder } from '../core/otlp/encode.ts'
import type { Fresh } from './fresh.ts'
import type { Emit, Running } from './source.ts'
import type { Parcel, Spool } from './spool.ts'

/** How long stragglers are waited for, ms; events do not wait, nor what a sender waits to see acknowledged. */
const linger = 10
const samplesAnEnvelope = 5000
/** A sample dated further ahead of the host's clock than this, ms, is a broken reading. */
const ahead = 86_400_000
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

export interface EdgeOptions {
  /** Resource attributes of everything this edge sends. */
  readonly resource: Attributes
  readonly spool: Pick<Spool, 'put' | 'knows'>
  /** Is given each metrics payload with its bytes from before compression, which live until the next one. */
  readonly fresh?: Pick<Fresh, 'put'>
  /** Is given what has become durable, each observation once. */
  readonly kept?: (observation: Observation) => void
  readonly say: Say
  now(): number
}

export interface Edge {
  readonly emit: Emit
  /** Runs a source until the signal aborts; its failures stay its own. */
  run(name: string, source: Running, signal: AbortSignal): Promise<void>
  /** Samples that sources were told are safe. */
  stats(): { readonly samples: number; readonly events: number; readonly restarts: number }
  /** Resolves when nothing emitted so far is still on its way into the spool. */
  flushed(): Promise<void>
}

interface Waiting {
  readonly observation: Observation
  resolve(): void
  reject(error: unknown): void
}

export function openEdge({ resource, spool, fresh, kept, say, now }: EdgeOptions): Edge {
  const encodeMetrics = metricsEncoder(resource)
  const counts = { samples: 0, events: 0, restarts: 0 }
  let waiting: Waiting[] = []
  let turn: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let flushedAt = Number.NEGATIVE_INFINITY
  let urgent = false
  /** Somebody came after the first turn of this moment; and whether somebody did in the one before. */
  let late = false
  let wasLate = false
  let flushing: Promise<void> = Promise.resolve()
  /** Keys on their way into the spool. */
  const underWay = new Map<string, Promise<void>>()

  const emit: Emit = async observation => {
    const count = samplesIn(observation)
    if (count + observation.events.length === 0) return
    check(observation, now())
    const { once } = observation
    if (once !== undefined && (underWay.has(once) || spool.knows(once))) return await underWay.get(once)
    await (once === undefined ? handOn(observation) : handOnOnce(observation, once))
    counts.samples += count
    counts.events += observation.events.length
    kept?.(observation)
  }

  const handOn = (observation: Observation): Promise<void> => {
    const safe = new Promise<void>((resolve, reject) => waiting.push({ observation, resolve, reject }))
    urgent ||= observation.events.length > 0 || observation.once !== undefined
    schedule()
    return safe
  }

  const handOnOnce = async (observation: Observation, once: string): Promise<void> => {
    const safe = handOn(observation)
    underWay.set(once, safe)
    try {
      await safe
    } finally {
      underWay.delete(once)
    }
  }

  const schedule = (): void => {
    late ||= timer !== undefined || now() - flushedAt < linger
    if (timer === undefined) turn ??= setImmediate(endTurn)
    else if (urgent) flush()
  }

  const endTurn = (): void => {
    turn = undefined
    if (urgent || !(late || wasLate)) flush()
    else timer = setTimeout(flush, linger)
  }

  const flush = (): void => {
    clearImmediate(turn)
    clearTimeout(timer)
    turn = undefined
    timer = undefined
    urgent = false
    wasLate = late
    late = false
    flushedAt = now()
    const moment = waiting
    waiting = []
    flushing = Promise.all([flushing, keep(moment)]).then(() => {})
  }

  /** What cannot be kept together is tried one by one, in one transaction again: what ails one shall not ail the others. */
  const keep = async (moment: readonly Waiting[]): Promise<void> => {
    try {
      await spool.put(...withKeys(moment, [...parcels(moment)]))
      for (const { resolve } of moment) resolve()
    } catch (error) {
      if (moment.length > 1) await Promise.all(moment.map(one => keep([one])))
      else for (const { reject } of moment) reject(error)
    }
  }

  function* parcels(moment: readonly Waiting[]): Generator<Parcel> {
    const events = moment.flatMap(w => w.observation.events)
    const samples = moment.flatMap(w => w.observation.samples)
    const distributions = moment.flatMap(w => w.observation.distributions ?? [])
    if (events.length > 0) yield eventParcel(resource, events)
    for (let n = 0; n < samples.length; n += samplesAnEnvelope) {
      yield metrics(encodeMetrics, samples.slice(n, n + samplesAnEnvelope), [], fresh)
    }
    for (const some of heaps(distributions)) yield metrics(encodeMetrics, [], some, fresh)
  }

  const run = async (name: string, source: Running, signal: AbortSignal): Promise<void> => {
    const pause = backoff({ min: 1000, max: 60_000 })
    while (!signal.aborted) {
      try {
        await source.run(emit, signal)
        if (signal.aborted) return
        throw new Error('the source ended by itself')
      } catch (error) {
        if (signal.aborted) return
        counts.restarts++
        const wait = pause.next()
        say('error', `source ${name} failed: ${reason(error)}; starting it again in ${Math.round(wait / 1000)} s`, {
          source: name,
        })
        await delay(wait, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  const flushed = async (): Promise<void> => {
    if (waiting.length > 0) flush()
    await flushing
  }

  return { emit, run, stats: () => ({ ...counts }), flushed }
}

/** @throws Refused for what no far end could use; only the source that made it is told. */
function check({ samples, distributions = [], events }: Observation, now: number): void {
  for (const { series, time, value } of samples) {
    if (!Number.isFinite(value)) throw new Refused(`${series.name}: the value ${value} is not a finite number`)
    if (!(time > 0 && time <= now + ahead)) throw new Refused(`${series.name}: ${dated(time)} cannot be true`)
  }
  for (const one of distributions) {
    checkDistribution(one)
    if (!(one.time > 0 && one.time <= now + ahead))
      throw new Refused(`${one.series.name}: ${dated(one.time)} cannot be true`)
  }
  for (const { name, time } of events) {
    if (!(time > 0 && time <= now + ahead)) throw new Refused(`event ${name}: ${dated(time)} cannot be true`)
  }
}

function dated(time: number): string {
  const date = new Date(time)
  return `a date of ${Number.isNaN(date.getTime()) ? time : date.toISOString()}`
}

/** All of a moment is one transaction: it does not matter which parcel carries the keys. */
function withKeys(moment: readonly Waiting[], parcels: readonly Parcel[]): readonly Parcel[] {
  const once = moment.flatMap(({ observation }) => observation.once ?? [])
  return once.length === 0 ? parcels : parcels.map((parcel, n) => (n === 0 ? { ...parcel, once } : parcel))
}

/** As many as an envelope may hold, going by the numbers in them. */
function heaps(distributions: readonly Distribution[]): readonly Distribution[][] {
  const heaps: Distribution[][] = []
  let room = 0
  for (const one of distributions) {
    const numbers = numbersIn(one)
    if (heaps.length === 0 || numbers > room) {
      heaps.push([])
      room = samplesAnEnvelope
    }
    heaps.at(-1)!.push(one)
    room -= numbers
  }
  return heaps
}

function metrics(
  encode: MetricsEncoder,
  samples: readonly Sample[],
  distributions: readonly Distribution[],
  fresh: EdgeOptions['fresh'],
): Parcel {
  const bytes = encode(samples, distributions)
  const payload = zstdCompressSync(bytes, compression)
  fresh?.put(payload, bytes)
  return {
    lane: 'metrics',
    encoding: 'otlp-metrics-zstd',
    ...span(samples.length > 0 ? samples : distributions),
    samples: samplesIn({ samples, distributions, events: [] }),
    events: 0,
    payload,
  }
}

/** The one way events become a parcel; the spool's own gaps take it too. */
export function eventParcel(resource: Attributes, events: readonly Event[]): Parcel {
  const payload = zstdCompressSync(encodeLogs(resource, events), compression)
  return { lane: 'events', encoding: 'otlp-logs-zstd', ...span(events), samples: 0, events: events.length, payload }
}

function span(dated: readonly { readonly time: number }[]): { firstTime: number; lastTime: number } {
  let firstTime = Number.POSITIVE_INFINITY
  let lastTime = 0
  for (const { time } of dated) {
    if (time < firstTime) firstTime = time
    if (time > lastTime) lastTime = time
  }
  return { firstTime: Math.floor(firstTime), lastTime: Math.ceil(lastTime) }
}
