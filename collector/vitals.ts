// What the collector shows at /metrics.

import type { Vital } from '../core/vitals.ts'
import type { Intake } from './ingest/intake.ts'
import type { Meter } from './meter.ts'
import type { History } from './store/history.ts'
import type { Records } from './store/records.ts'
import type { CollectorView } from './view.ts'

/** Messages and requests that were not taken, by transport and reason. */
export class Refusals {
  readonly #counts = new Map<string, number>()

  count(transport: 'mqtt' | 'otlp', why: string): void {
    const key = `${transport} ${why}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  read(): { labels: Readonly<Record<string, string>>; value: number }[] {
    return [...this.#counts].map(([key, value]) => {
      const [transport = '', why = ''] = key.split(' ')
      return { labels: { transport, reason: why }, value }
    })
  }
}

interface Parts {
  readonly history: History
  readonly records: Records
  readonly intake: Intake
  readonly meter: Meter
  readonly refusals: Refusals
  readonly view: Pick<CollectorView, 'diskSummary'>
}

export function collectorVitals({ history, records, intake, meter, refusals, view }: Parts): readonly Vital[] {
  const inbox = (): ReturnType<Intake['stats']>['inbox'] => intake.stats().inbox
  const fold = (): ReturnType<Intake['stats']>['fold'] => intake.stats().fold
  return [
    counter('samples_committed_total', 'Samples committed.', () => meter.samples),
    counter('envelopes_committed_total', 'Envelopes committed.', () => inbox().committed_envelopes),
    counter(
      'envelopes_duplicate_total',
      'Envelopes that came again and were not stored again.',
      () => inbox().duplicate_envelopes,
    ),
    counter(
      'envelopes_resend_total',
      'Envelopes that did not follow their watermark and were asked for again.',
      () => inbox().resend_envelopes,
    ),
    counter('envelopes_refused_total', 'Envelopes refused for ever.', () => inbox().refused_envelopes),
    counter('envelopes_held_total', 'Envelopes told to come again later.', () => inbox().held_envelopes),
    counter('envelopes_lost_total', 'Envelopes that edges gave up.', () => inbox().lost_envelopes),
    counter('commits_failed_total', 'Commits that failed.', () => inbox().failed_commits),
    {
      name: 'fieldline_messages_refused_total',
      help: 'Messages and requests that were not taken.',
      kind: 'counter',
      labels: ['transport', 'reason'],
      read: () => refusals.read(),
    },
    counter('samples_folded_total', 'Samples taken into history.', () => fold().samples),
    counter('samples_late_total', 'Samples stored but too late to be judged.', () => fold().late_samples),
    counter(
      'samples_rejected_total',
      'Samples left out: beyond a limit, or dated unbelievably.',
      () => fold().rejected_samples,
    ),
    counter(
      'rows_unreadable_total',
      'Committed envelopes that could not be decoded, set aside.',
      () => fold().unreadable_rows,
    ),
    counter('folds_failed_total', 'Folds that failed.', () => fold().failed_folds),
    gauge('history_series', 'Series known.', () => history.stats().series),
    gauge('history_pending_samples', 'Samples in memory, not yet folded.', () => history.pending),
    gauge('history_bytes', 'History on disk.', () => history.stats().bytes),
    counter('history_damaged_total', 'Damaged parts of chunks that were left out.', () => history.stats().damaged),
    gauge('nodes', 'Nodes known.', () => records.nodes().length),
    {
      name: 'fieldline_disks',
      help: 'Drives known, by whether they are scored: scored, unknown, gone.',
      kind: 'gauge',
      labels: ['state'],
      read: () => {
        const sum = view.diskSummary()
        return (['scored', 'unknown', 'gone'] as const).map(state => ({ labels: { state }, value: sum[state] }))
      },
    },
    gauge('findings_open', 'Open findings.', () => records.openCount()),
    gauge('incidents_open', 'Open incidents.', () => records.incidents.openCount()),
    gauge(
      'commit_latency_p99_seconds',
      'From sample time to commit over the last minute.',
      () => (meter.p99(Date.now()) ?? 0) / 1000,
    ),
  ]
}

function counter(name: string, help: string, read: () => number): Vital {
  return { name: `fieldline_${name}`, help, kind: 'counter', read }
}

function gauge(name: string, help: string, read: () => number): Vital {
  return { name: `fieldline_${name}`, help, kind: 'gauge', read }
}
