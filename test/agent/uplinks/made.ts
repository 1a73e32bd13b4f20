// Envelopes as an edge makes them, of observations: what uplinks that open them are tested with.

import { zstdCompressSync } from 'node:zlib'
import { type Envelope, seal } from '../../../core/envelope.ts'
import type { Attributes, Distribution, Event, Sample, Series } from '../../../core/model.ts'
import { encodeLogs, metricsEncoder } from '../../../core/otlp/encode.ts'

export interface Maker {
  /** The next envelope of the stream `<spool>.metrics.<n>-salt`. */
  samples(samples: readonly Sample[], distributions?: readonly Distribution[], n?: number): Envelope
  events(events: readonly Event[], n?: number): Envelope
}

export function maker(resource: Attributes = { 'host.name': 'gate-1' }): Maker {
  const encode = metricsEncoder(resource)
  const last = new Map<string, number>()
  const make = (lane: 'metrics' | 'events', n: number, bytes: Uint8Array, times: readonly number[]): Envelope => {
    const stream = `spool1.${lane}.${n}-salt`
    const seq = (last.get(stream) ?? 0) + 1
    last.set(stream, seq)
    const isMetrics = lane === 'metrics'
    const header = {
      node: 'gate-1',
      stream,
      seq,
      firstTime: Math.min(...times),
      lastTime: Math.max(...times),
      samples: isMetrics ? times.length : 0,
      events: isMetrics ? 0 : times.length,
      encoding: isMetrics ? ('otlp-metrics-zstd' as const) : ('otlp-logs-zstd' as const),
    }
    const payload = zstdCompressSync(bytes)
    return { ...header, previous: seq - 1, payload, crc: seal(header, payload) }
  }
  const times = (of: readonly { readonly time: number }[]): number[] => of.map(({ time }) => time)
  return {
    samples: (samples, distributions = [], n = 1) =>
      make('metrics', n, encode(samples, distributions), times([...samples, ...distributions])),
    events: (events, n = 1) => make('events', n, encodeLogs(resource, events), times(events)),
  }
}

export function gauge(name: string, attributes: Attributes = {}, unit = '1'): Series {
  return { name, unit, kind: 'gauge', attributes }
}
