// A collector's OTLP/HTTP door on a free port, and what went through it.

import fastify from 'fastify'
import type { Test } from 'tap'
import type { Parcel } from '../../../collector/ingest/inbox-store.ts'
import { type OtlpParts, type OtlpRefusal, registerOtlp } from '../../../collector/ingest/otlp.ts'
import type { Envelope } from '../../../core/envelope.ts'

export interface Door {
  readonly url: string
  readonly parcels: Parcel[]
  readonly envelopes: Envelope[]
  readonly refusals: OtlpRefusal[]
  post(path: string, body: Uint8Array, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** What `parts` does not say is taken and remembered. */
export async function openDoor(t: Test, parts: Partial<OtlpParts> = {}): Promise<Door> {
  const [parcels, envelopes, refusals]: [Parcel[], Envelope[], OtlpRefusal[]] = [[], [], []]
  const app = fastify()
  registerOtlp(app, {
    take: async parcel => void parcels.push(parcel),
    accept: async envelope => {
      envelopes.push(envelope)
      return { stream: envelope.stream, watermark: envelope.seq }
    },
    count: refusal => refusals.push(refusal),
    ...parts,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const post = async (path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> => {
    const all = { 'content-type': 'application/x-protobuf', ...headers }
    const answer = await fetch(`${url}${path}`, { method: 'POST', body: Uint8Array.from(body), headers: all })
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
  }
  return { url, parcels, envelopes, refusals, post }
}
