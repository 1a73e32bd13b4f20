// Envelopes and an inbox to put them in, for the tests of ingest.

import { type InboxOptions, openInbox, type Row } from '../../../collector/ingest/inbox.ts'
import { type Envelope, type Header, seal } from '../../../core/envelope.ts'

export const noon = Date.UTC(2026, 5, 1, 12)

/** A sealed envelope; what it holds are bytes that name it. */
export function envelope(seq: number, more: Partial<Omit<Envelope, 'seq' | 'crc'>> = {}): Envelope {
  const header: Header = {
    node: 'press-1',
    stream: 'spool00001.metrics.1',
    seq,
    firstTime: noon,
    lastTime: noon,
    samples: 10,
    events: 0,
    encoding: 'otlp-metrics-zstd',
    ...more,
  }
  const payload = more.payload ?? Buffer.from(`${header.node} ${header.stream} ${seq}`)
  return { ...header, previous: seq - 1, ...more, payload, crc: seal(header, payload) }
}

/** An inbox that takes everything and keeps what it hands on in `rows`. */
export function inboxIn(folder: string, more: Partial<InboxOptions> = {}) {
  const rows: Row[] = []
  const said: string[] = []
  const inbox = openInbox({
    folder,
    say: (severity, message) => said.push(`${severity} ${message}`),
    now: () => noon,
    rule: () => undefined,
    folded: () => 0,
    marks: () => [],
    ready: async more => void rows.push(...more),
    ...more,
  })
  return { inbox, rows, said }
}

export function names(rows: Iterable<Row>): string[] {
  return [...rows].map(row => `${row.id}:${row.stream}:${row.seq}:${Buffer.from(row.payload)}`)
}
