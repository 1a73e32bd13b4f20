// What the spool's tests share: options over a folder, parcels with known content, and a far end that takes all.

import { type Open, openFile } from '../../../agent/spool/tables.ts'
import { type Gap, openSpool, type Parcel, type Spool, type SpoolOptions } from '../../../agent/spool.ts'
import type { Envelope } from '../../../core/envelope.ts'

export const start = Date.UTC(2026, 0, 1)

export interface Rig {
  readonly options: SpoolOptions
  readonly said: { readonly severity: string; readonly message: string }[]
  time: number
  open(open?: Open): Promise<Spool>
}

export function rig(folder: string, changes: Partial<SpoolOptions> = {}): Rig {
  const said: { severity: string; message: string }[] = []
  const rig = { options: {} as SpoolOptions, said, time: start, open: (open?: Open) => openSpool(rig.options, open) }
  rig.options = {
    folder,
    node: 'web-1',
    uplinks: ['home'],
    max_bytes: 64 * 1024 * 1024,
    max_age: 7 * 86_400_000,
    when_full: 'drop-oldest',
    once_age: 7 * 86_400_000,
    once_most: 1000,
    now: () => rig.time,
    say: (severity, message, fields) => said.push({ severity, message: `${message} ${JSON.stringify(fields ?? {})}` }),
    declare: gapParcel,
    ...changes,
  }
  return rig
}

/** For tests that open hundreds of times and pull no plug: SQLite does not wait for the disk. */
export const fast: Open = file => {
  const db = openFile(file)
  const pragma = db.pragma.bind(db)
  db.pragma = (text, options) => pragma(text.replace('synchronous = FULL', 'synchronous = OFF'), options)
  return db
}

/** Content that tells itself: the label, then filling that depends on it. */
export function parcel(label: string, size = 100, lane: Parcel['lane'] = 'metrics'): Parcel {
  const payload = Buffer.alloc(size, `${label}|`)
  const encoding = lane === 'metrics' ? 'otlp-metrics-zstd' : 'otlp-logs-zstd'
  const counts = lane === 'metrics' ? { samples: 10, events: 0 } : { samples: 0, events: 1 }
  return { lane, firstTime: start, lastTime: start + 1000, ...counts, encoding, payload }
}

export function labelOf(envelope: Pick<Envelope, 'payload'>): string {
  return Buffer.from(envelope.payload).toString('latin1').split('|')[0]!
}

function gapParcel(gap: Gap): Parcel {
  return { ...parcel('', 0, 'events'), payload: Buffer.from(`gap|${JSON.stringify(gap)}`) }
}

export function gapOf(envelope: Pick<Envelope, 'payload'>): Gap | undefined {
  const text = Buffer.from(envelope.payload).toString('utf8')
  return text.startsWith('gap|') ? (JSON.parse(text.slice(4)) as Gap) : undefined
}

const everything = Number.MAX_SAFE_INTEGER

export function takeAll(spool: Spool, uplink = 'home'): Envelope[] {
  return spool.take(uplink, everything, everything)
}

/** Delivers all of the batch. */
export function settleAll(spool: Spool, batch: readonly Envelope[], uplink = 'home'): void {
  const committed = new Map<string, number>()
  for (const { stream, seq } of batch) committed.set(stream, seq)
  spool.settle(uplink, { committed, refused: [] })
}

export function drain(spool: Spool, uplink = 'home'): Envelope[] {
  const all: Envelope[] = []
  for (let batch = takeAll(spool, uplink); batch.length > 0; batch = takeAll(spool, uplink)) {
    all.push(...batch)
    settleAll(spool, batch, uplink)
  }
  return all
}

/** Numbers in [0, 1) that the seed alone decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function seedOf(): number {
  return Number(process.env.FIELDLINE_SEED ?? Math.floor(Math.random() * 2 ** 31))
}
