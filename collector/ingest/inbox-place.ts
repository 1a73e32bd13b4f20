// What becomes of one offer, inside the transaction that holds it: the rules of streams.

import type { Envelope } from '../../core/envelope.ts'
import { Refused } from '../../core/errors.ts'
import type { Receipt } from '../../core/receipt.ts'
import { Busy, type Ruling } from './gate.ts'
import type { InboxStore, Parcel, Row } from './inbox-store.ts'

/** Whether what comes next in its stream is taken. */
export type Rule = (parcel: Parcel) => Ruling

export interface Outcome {
  readonly counted: 'committed' | 'duplicate' | 'resend' | 'refused' | 'held'
  readonly row?: Row
  readonly receipt?: Receipt
  readonly error?: Error
}

export function placeEnvelope(store: InboxStore, envelope: Envelope, rule: Rule, now: number): Outcome {
  const { node, stream, seq } = envelope
  const known = store.watermark(node, stream)
  const watermark = known ?? 0
  if (seq <= watermark) return duplicate(store, envelope, watermark)
  if (envelope.previous > watermark) return { counted: 'resend', receipt: { stream, watermark, resend: true } }
  const ruling = rule(envelope)
  if (ruling !== undefined && 'retry_after' in ruling) {
    return { counted: 'held', receipt: { stream, watermark, retry_after: ruling.retry_after } }
  }
  if (known === undefined) store.makeRoom(node)
  store.advance(node, stream, seq, now)
  const row = insert(store, envelope, { received: now, lost: seq - watermark - 1, refused: ruling?.refused })
  if (ruling === undefined) return { counted: 'committed', row, receipt: { stream, watermark: seq } }
  store.refuse(node, stream, seq, ruling.refused)
  const refused = [{ seq, reason: ruling.refused }]
  return { counted: 'refused', row, receipt: { stream, watermark: seq, refused } }
}

/** What has no place in a stream stands under stream '' and seq 0. */
export function placeParcel(store: InboxStore, parcel: Parcel, rule: Rule, now: number): Outcome {
  const ruling = rule(parcel)
  if (ruling !== undefined && 'retry_after' in ruling) return { counted: 'held', error: new Busy(ruling.retry_after) }
  const whole = { ...parcel, stream: '', seq: 0 }
  const row = insert(store, whole, { received: now, lost: 0, refused: ruling?.refused })
  if (ruling === undefined) return { counted: 'committed', row }
  return { counted: 'refused', row, error: new Refused(ruling.refused) }
}

/** The same answer as the first time, refusal included: that receipt may not have arrived. */
function duplicate(store: InboxStore, { node, stream, seq }: Envelope, watermark: number): Outcome {
  const why = store.refusal(node, stream, seq)
  const refused = why === undefined ? {} : { refused: [{ seq, reason: why }] }
  return { counted: 'duplicate', receipt: { stream, watermark, ...refused } }
}

const nothing = new Uint8Array(0)

function insert(
  store: InboxStore,
  from: Parcel & { readonly stream: string; readonly seq: number },
  fate: Pick<Row, 'received' | 'lost' | 'refused'>,
): Row {
  const { node, stream, seq, firstTime, lastTime, samples, events, encoding } = from
  const header = { node, stream, seq, firstTime, lastTime, samples, events, encoding }
  const row = { ...header, ...fate, payload: fate.refused === undefined ? from.payload : nothing }
  return { ...row, id: store.insert(row) }
}
