// FHIR R4 `Observation` and `Device` to a server over HTTP, as transactions of PUTs, or to MQTT, a message a resource.
// An envelope is delivered when the server has answered 2xx for all of it, or the broker has acknowledged all of it.
// The ids are the observations' own (fhir-resources.ts): what goes again after a broken line writes the same again.

import { setTimeout as delay } from 'node:timers/promises'
import type { Envelope } from '../../core/envelope.ts'
import { Link } from '../../core/mqtt.ts'
import { readHeaders } from '../headers.ts'
import type { Delivery, Identity, Uplink, UplinkType } from '../uplink.ts'
import { type FhirOptions, fhirOptions } from './fhir-options.ts'
import { type Resource, resourcesOf } from './fhir-resources.ts'
import { type Opened, Opener } from './opened.ts'
import { retryAfter } from './otlp-answer.ts'
import { type Answer, openPoster } from './post.ts'
import { Window } from './window.ts'

const oneByOne = { envelopes: 1, bytes: Number.POSITIVE_INFINITY }
/** Statuses that speak of what was sent (https://hl7.org/fhir/R4/http.html#transaction-response). */
const aboutContent: readonly number[] = [400, 409, 412, 413, 415, 422]
/** How long a connection to a broker is waited for, ms. */
const patience = 5000

export const fhirUplink: UplinkType<FhirOptions> = {
  name: 'fhir',
  options: fhirOptions,
  open: (options, identity) => new FhirUplink(options, identity),
}

/** Resolves when all is committed, with the reasons of what the far end will never take. @throws where it is not known. */
interface Carrier {
  carry(resources: readonly Resource[], signal: AbortSignal): Promise<readonly string[]>
  close(): Promise<void>
}

class FhirUplink implements Uplink {
  readonly #carrier: Carrier
  readonly #opener: Opener
  /** Devices that the far end has, as they were last sent. */
  readonly #known = new Map<string, string>()

  constructor(options: FhirOptions, identity: Identity) {
    this.#carrier = options.url === undefined ? mqttCarrier(options, identity) : httpCarrier(options.url, options)
    this.#opener = new Opener(identity)
  }

  async send(batch: readonly Envelope[], signal: AbortSignal): Promise<Delivery> {
    const window = new Window(batch, oneByOne)
    try {
      for (let e = window.next(); e !== undefined; e = window.next()) await this.#sendOne(e, window, signal)
    } catch (error) {
      if (!window.news) throw error
    }
    return window.delivery()
  }

  async close(): Promise<void> {
    await this.#carrier.close()
  }

  async #sendOne(e: Envelope, window: Window, signal: AbortSignal): Promise<void> {
    const opened = this.#open(e)
    if (opened === undefined) return window.refuse(e, 'the payload cannot be read')
    const news = resourcesOf(opened).filter(r => r.resourceType !== 'Device' || this.#isNew(r))
    const reasons = news.length === 0 ? [] : await this.#carrier.carry(news, signal)
    for (const device of news) if (device.resourceType === 'Device') this.#known.set(device.id, JSON.stringify(device))
    const why = `${reasons.length} of ${news.length} resources: ${reasons[0] ?? ''}`
    const refused = reasons.length === 0 ? {} : { refused: [{ seq: e.seq, reason: why }] }
    window.receipt({ stream: e.stream, watermark: e.seq, ...refused })
  }

  #open(e: Envelope): Opened | undefined {
    try {
      return this.#opener.open(e)
    } catch {
      // Damaged: told as a refusal, which the pump counts and says.
      return undefined
    }
  }

  #isNew(device: Resource): boolean {
    return this.#known.get(device.id) !== JSON.stringify(device)
  }
}

function httpCarrier(url: string, { headers_file, ca, timeout, bundle }: FhirOptions): Carrier {
  const poster = openPoster({ url, timeout, ca })
  const headers = {
    'user-agent': 'fieldline',
    accept: 'application/fhir+json',
    ...(headers_file !== undefined && readHeaders(headers_file)),
    'content-type': 'application/fhir+json',
  }

  /** What the server finds wrong in a transaction concerns one of its parts: halves are tried until it is alone. */
  const put = async (resources: readonly Resource[], signal: AbortSignal): Promise<readonly string[]> => {
    const body = Buffer.from(JSON.stringify(transaction(url, resources)))
    const answer = await poster.post('', headers, body, signal)
    if (answer.status >= 200 && answer.status < 300) return []
    if (!aboutContent.includes(answer.status)) throw new Error(await later(answer, url, signal))
    if (resources.length === 1) return [`${resources[0]!.resourceType} refused: HTTP ${answer.status}`]
    const half = Math.ceil(resources.length / 2)
    return [...(await put(resources.slice(0, half), signal)), ...(await put(resources.slice(half), signal))]
  }

  return {
    async carry(resources, signal) {
      const reasons: string[] = []
      for (let n = 0; n < resources.length; n += bundle)
        reasons.push(...(await put(resources.slice(n, n + bundle), signal)))
      return reasons
    },
    close: async () => poster.close(),
  }
}

/** https://hl7.org/fhir/R4/http.html#transaction: all or nothing; a PUT creates what is not there under its id. */
export function transaction(base: string, resources: readonly Resource[]) {
  const entry = resources.map(resource => ({
    fullUrl: `${base.replace(/\/+$/, '')}/${resource.resourceType}/${resource.id}`,
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }))
  return { resourceType: 'Bundle', type: 'transaction', entry }
}

/** Waits as long as the server asks for; the server's own words may hold anything, so they are not told. */
async function later({ status, headers }: Answer, url: string, signal: AbortSignal): Promise<string> {
  const wait = retryAfter(headers['retry-after'], Date.now())
  if (wait > 0) await delay(wait, undefined, { signal }).catch(() => undefined)
  return `${url} answers HTTP ${status}`
}

function mqttCarrier(options: FhirOptions, { node, spool }: Identity): Carrier {
  let link: Link | undefined
  const open = (): Link =>
    new Link({ options, clientId: `fieldline-fhir-${node}-${spool}`, subscribe: [], deliver: () => {} })
  return {
    async carry(resources, signal) {
      link ??= open()
      const session = await link.ready(patience, signal)
      for (let n = 0; n < resources.length; n += options.bundle) {
        const some = resources.slice(n, n + options.bundle)
        await Promise.all(
          some.map(r => session.publish(topicOf(options.topic, node, r), Buffer.from(JSON.stringify(r)))),
        )
      }
      return []
    },
    close: async () => link?.close(),
  }
}

function topicOf(topic: string, node: string, { resourceType }: Resource): string {
  return `${topic}/${node}/${resourceType}`
}
