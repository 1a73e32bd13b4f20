// The edges of `ingest`, in a process of their own: what they cost is not the collector's. Everything is encoded
// beforehand; when told to, it is sent through the agent's own MQTT uplink, one for each node, window and receipts included.

import { setTimeout as delay } from 'node:timers/promises'
import { constants, zstdCompressSync } from 'node:zlib'
import type { Uplink } from '../agent/uplink.ts'
import { openMqttUplink } from '../agent/uplinks/mqtt.ts'
import { type Envelope, type Header, seal } from '../core/envelope.ts'
import type { Sample } from '../core/model.ts'
import { metricsEncoder } from '../core/otlp/encode.ts'
import { hostMetrics } from './host-metrics.ts'

export interface Load {
  readonly nodes: number
  readonly series_per_node: number
  readonly readings: number
  /** Readings in one envelope. */
  readonly together: number
  /** Of the first reading, and between two, ms. */
  readonly start: number
  readonly interval: number
}

export type ToSender = { readonly prepare: Load } | { readonly send: string }

export interface Prepared {
  readonly envelopes: number
  readonly samples: number
  readonly payload_mb: number
}

export interface Sent {
  readonly seconds: number
  /** From sending to receipt of an envelope that goes alone, ten times a second, ms. */
  readonly commits: readonly number[]
}

/** What the agent's pump takes from the spool at a time. */
const batchBytes = 512 * 1024
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
const signal = new AbortController().signal

let edges: readonly (readonly Envelope[])[] = []

process.on('message', (message: ToSender) => {
  if ('prepare' in message) process.send!(prepare(message.prepare))
  else sendAll(message.send).then(sent => process.send!(sent))
})
process.on('disconnect', () => process.exit())

function prepare(load: Load): Prepared {
  const plant = hostMetrics(load.nodes * load.series_per_node)
  const encoders = Array.from({ length: load.nodes }, (_, n) => metricsEncoder({ 'host.name': nodeName(n) }))
  const made = encoders.map((): Envelope[] => [])
  for (let reading = 0; reading < load.readings; reading += load.together) {
    const from = load.start + reading * load.interval
    const { which, times, values } = plant.read(from, from + load.together * load.interval, load.interval)
    const samples = encoders.map((): Sample[] => [])
    for (let n = 0; n < which.length; n++) {
      const series = plant.series[which[n]!]!
      samples[Math.floor(which[n]! / load.series_per_node)]!.push({ series, time: times[n]!, value: values[n]! })
    }
    for (const [n, encode] of encoders.entries()) made[n]!.push(envelope(n, made[n]!.length + 1, samples[n]!, encode))
  }
  edges = made
  const all = made.flat()
  return {
    envelopes: all.length,
    samples: all.reduce((sum, e) => sum + e.samples, 0),
    payload_mb: all.reduce((sum, e) => sum + e.payload.length, 0) / 1e6,
  }
}

function envelope(
  node: number,
  seq: number,
  samples: readonly Sample[],
  encode: (samples: readonly Sample[]) => Uint8Array,
): Envelope {
  const payload = zstdCompressSync(encode(samples), compression)
  const header: Header = {
    node: nodeName(node),
    stream: 'bench.metrics.1',
    seq,
    firstTime: samples[0]!.time,
    lastTime: samples.at(-1)!.time,
    samples: samples.length,
    events: 0,
    encoding: 'otlp-metrics-zstd',
  }
  return { ...header, previous: seq - 1, payload, crc: seal(header, payload) }
}

function nodeName(n: number): string {
  return `node-${n}`
}

async function sendAll(broker: string): Promise<Sent> {
  const begun = performance.now()
  const done = new AbortController()
  const probing = probe(broker, done.signal)
  await Promise.all(edges.map((envelopes, n) => withUplink(broker, nodeName(n), uplink => sendOne(envelopes, uplink))))
  const seconds = (performance.now() - begun) / 1000
  done.abort()
  return { seconds, commits: await probing }
}

async function withUplink<T>(broker: string, node: string, work: (uplink: Uplink) => Promise<T>): Promise<T> {
  const none = { username: undefined, password_file: undefined, ca: undefined, cert: undefined, key: undefined }
  const uplink = openMqttUplink({ brokers: [broker], tenant: 'default', ...none }, { node, spool: 'bench' })
  try {
    return await work(uplink)
  } finally {
    await uplink.close()
  }
}

async function sendOne(envelopes: readonly Envelope[], uplink: Uplink): Promise<void> {
  for (let at = 0; at < envelopes.length; ) {
    const batch = batchAt(envelopes, at)
    const { committed, refused } = await uplink.send(batch, signal)
    if (refused.length > 0) throw new Error(`refused: ${refused[0]!.reason}`)
    at = committed.get('bench.metrics.1') ?? at
  }
}

function batchAt(envelopes: readonly Envelope[], from: number): readonly Envelope[] {
  let to = from
  for (let bytes = 0; to < envelopes.length && bytes < batchBytes; to++) bytes += envelopes[to]!.payload.length
  return envelopes.slice(from, to)
}

/** One more node, whose every envelope waits for its receipt. */
function probe(broker: string, until: AbortSignal): Promise<number[]> {
  const encode = metricsEncoder({ 'host.name': 'probe' })
  const series = { name: 'probe', unit: '1', kind: 'gauge', attributes: {} } as const
  return withUplink(broker, 'probe', async uplink => {
    const took: number[] = []
    for (let seq = 1; !until.aborted; seq++) {
      const begun = performance.now()
      const { node: _, ...rest } = envelope(0, seq, [{ series, time: Date.now(), value: seq }], encode)
      const header = { ...rest, node: 'probe' }
      await uplink.send([{ ...header, crc: seal(header, header.payload) }], signal)
      took.push(performance.now() - begun)
      await delay(100, undefined, { signal: until }).catch(() => undefined)
    }
    return took
  })
}
