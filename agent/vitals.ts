// What an edge shows at /metrics.

import type { Vital } from '../core/vitals.ts'
import type { Edge } from './edge.ts'
import type { Judging } from './judging.ts'
import type { Spool } from './spool.ts'

export function edgeVitals(edge: Edge, spool: Spool, judging: Pick<Judging, 'stats'> | undefined): readonly Vital[] {
  return [
    ...(judging === undefined ? [] : judgingVitals(judging)),
    counter('fieldline_samples_total', 'Samples that sources were told are safe.', () => edge.stats().samples),
    counter('fieldline_events_total', 'Events that sources were told are safe.', () => edge.stats().events),
    counter(
      'fieldline_source_restarts_total',
      'Sources that failed and were started again.',
      () => edge.stats().restarts,
    ),
    gauge('fieldline_spool_bytes', 'Waiting in the spool.', () => spool.stats().bytes),
    gauge('fieldline_spool_envelopes', 'Waiting in the spool.', () => spool.stats().envelopes),
    gauge(
      'fieldline_spool_oldest_timestamp_seconds',
      'When the oldest waiting envelope was stored; 0 when none waits.',
      () => (spool.stats().oldest ?? 0) / 1000,
    ),
    counter(
      'fieldline_spool_dropped_samples_total',
      'Samples given up by the spool.',
      () => spool.stats().dropped_samples,
    ),
    counter(
      'fieldline_spool_dropped_events_total',
      'Events given up by the spool.',
      () => spool.stats().dropped_events,
    ),
    counter(
      'fieldline_spool_refused_envelopes_total',
      'Envelopes a far end refused, set aside.',
      () => spool.stats().refused_envelopes,
    ),
    counter('fieldline_spool_salvages_total', 'Times a damaged spool was salvaged.', () => spool.stats().salvages),
    counter(
      'fieldline_spool_protocol_errors_total',
      'Claims of a far end that cannot be true.',
      () => spool.stats().protocol_errors,
    ),
  ]
}

function judgingVitals(judging: Pick<Judging, 'stats'>): readonly Vital[] {
  return [
    {
      name: 'fieldline_findings_open',
      help: 'What detectors here have found and what goes on.',
      kind: 'gauge',
      labels: ['rule'],
      read: () => [...judging.stats().open].map(([rule, value]) => ({ labels: { rule }, value })),
    },
    gauge('fieldline_detectors_series', 'Series that detectors here watch.', () => judging.stats().watches),
    counter('fieldline_detectors_samples_total', 'Samples judged, once a detector.', () => judging.stats().steps),
    counter(
      'fieldline_detectors_late_samples_total',
      'Samples not judged because newer ones were before.',
      () => judging.stats().late,
    ),
  ]
}

function counter(name: string, help: string, read: () => number): Vital {
  return { name, help, kind: 'counter', read }
}

function gauge(name: string, help: string, read: () => number): Vital {
  return { name, help, kind: 'gauge', read }
}
