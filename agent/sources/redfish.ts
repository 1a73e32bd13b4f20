// A BMC by Redfish over HTTPS: temperatures, fans, power, storage and the event log. BMCs are slow and few of their
// answers are whole: one request after another, bounded in number and time, and a broken answer is that resource's alone.

import { readFileSync } from 'node:fs'
import { secretFile, secretPath } from '../../core/config-shapes.ts'
import { Refused, reason } from '../../core/errors.ts'
import { troubles } from '../../core/log.ts'
import type { Event, Sample, Series } from '../../core/model.ts'
import { absolutePath, duration, matching, object, oneOf, optional, refined, text } from '../../core/shape.ts'
import { polled } from '../polled.ts'
import { type Client, openClient } from '../redfish/client.ts'
import { discover, type Found } from '../redfish/discover.ts'
import { allEntries, type LogBook, openLogBook } from '../redfish/log.ts'
import { type Reading, redfishEvents, redfishMetrics } from '../redfish/metrics.ts'
import { readers, seldom } from '../redfish/read.ts'
import { isResource, type Resource } from '../redfish/resource.ts'
import type { Source, Surroundings } from '../source.ts'

interface Options {
  readonly interval: number
  readonly url: string
  readonly username: string | undefined
  readonly password_file: string | undefined
  readonly auth: 'basic' | 'session'
  readonly ca: string | undefined
  readonly fingerprint: string | undefined
  readonly timeout: number
}

const url = matching(
  /^https:\/\/[^\s/@?#]+$/,
  'an address such as https://bmc.example, without user, password and path',
)
const fingerprint = matching(/^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/, 'a SHA-256 fingerprint of 64 hex digits')

const options = object({
  interval: optional(duration(10_000, 86_400_000), 60_000),
  url,
  username: optional(text),
  password_file: optional(secretFile),
  auth: optional(oneOf(['basic', 'session']), 'basic'),
  ca: optional(absolutePath),
  fingerprint: optional(fingerprint),
  timeout: optional(duration(100, 300_000), 20_000),
})

const service = '/redfish/v1/'
/** ms between readings of what changes seldom, and between looks at what there is. */
const seldomEvery = 300_000
const discoverEvery = 1_800_000
const mostRequests = 1000
const mostSeries = 10_000

export const redfish: Source<Options> = {
  name: 'redfish',
  options: refined(options, (given, place) => {
    if ((given.username === undefined) !== (given.password_file === undefined))
      place.wrong('username and password_file belong together')
    if (!URL.canParse(given.url)) place.at('url').wrong(`expected ${url.expects}`)
    if (given.ca !== undefined && given.fingerprint !== undefined) place.wrong('either ca or fingerprint, not both')
  }),
  metrics: redfishMetrics,
  events: redfishEvents,
  open(options, at) {
    const bmc = openBmc(options, at)
    return polled({ ...at, interval: options.interval, ...bmc })
  },
}

function clientOf({ url, username, password_file, auth, ca, fingerprint, timeout }: Options): Client {
  const credentials = () =>
    username === undefined ? undefined : { username, password: secret('password_file', password_file!) }
  const authority = ca === undefined ? undefined : contentOf('ca', ca)
  return openClient({ url, credentials, auth, ca: authority, fingerprint, timeout })
}

function secret(key: string, file: string): string {
  return contentOf(key, secretPath(file))
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

function contentOf(key: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Refused(`cannot read ${key} ${file}`, { cause })
  }
}

function openBmc(options: Options, { host, say, keep }: Surroundings) {
  const address = new URL(options.url).hostname
  const trouble = troubles(say)
  const series = openSeries(address)
  let client: Client | undefined
  let found: Found | undefined
  let foundAt = Number.NEGATIVE_INFINITY
  let seldomAt = Number.NEGATIVE_INFINITY
  let book: LogBook | undefined
  let saved: string | undefined

  /** Gets within the bounds of one reading; what fails is said once, and is no data. */
  const asking = (signal: AbortSignal) => {
    client ??= clientOf(options)
    const to = client
    const ends = host.monotonic() + Math.max(options.interval, 3 * options.timeout)
    let asked = 0
    const must = async (path: string): Promise<Resource> => {
      if (++asked > mostRequests) throw new Error(`GET ${path}: not asked, ${mostRequests} requests are enough`)
      if (host.monotonic() > ends) throw new Error(`GET ${path}: not asked, the BMC is too slow`)
      const body = await to.get(path, signal)
      if (!isResource(body)) throw new Error(`GET ${path}: the answer is no resource`)
      return body
    }
    const get = async (path: string): Promise<Resource | undefined> => {
      try {
        const body = await must(path)
        trouble(`redfish ${address} ${path}`, undefined)
        return body
      } catch (error) {
        if (signal.aborted) throw error
        trouble(`redfish ${address} ${path}`, reason(error))
        return undefined
      }
    }
    return { must, get }
  }

  const look = async (now: number, { must, get }: ReturnType<typeof asking>): Promise<Found> => {
    if (found !== undefined && now - foundAt < discoverEvery) return found
    const root = await must(service)
    const fresh = await discover(root, get)
    found = fresh
    foundAt = now
    return fresh
  }

  const read = async (time: number, signal: AbortSignal) => {
    const now = host.monotonic()
    const ask = asking(signal)
    const { targets, logs } = await look(now, ask)
    const isSeldom = now - seldomAt >= seldomEvery
    if (isSeldom) seldomAt = now
    const due = targets.filter(({ kind }) => isSeldom || !seldom.has(kind))
    const samples: Sample[] = []
    let answers = 0
    for (const { kind, path } of due) {
      const body = await ask.get(path)
      if (body === undefined) continue
      answers++
      samples.push(...series.samples(readers[kind](path, body), time))
    }
    if (due.length > 0 && answers === 0) throw new Error(`${options.url}: none of ${due.length} resources answers`)
    return { samples, events: isSeldom ? await entries(logs, ask, time) : [] }
  }

  const entries = async (logs: Found['logs'], { get }: ReturnType<typeof asking>, time: number): Promise<Event[]> => {
    saved ??= keep.load()
    book ??= openLogBook(saved)
    const events: Event[] = []
    for (const { name, entries } of logs) {
      let whole = true
      const all = await allEntries(entries, async path => {
        const page = await get(path)
        whole &&= page !== undefined
        return page
      })
      if (whole) events.push(...book.news(name, all, address, time))
    }
    return events
  }

  const committed = (): void => {
    const text = book?.text()
    if (text === undefined || text === saved) return
    keep.save(text)
    saved = text
  }

  const close = (): void => {
    client?.close()
    client = undefined
    found = undefined
    seldomAt = Number.NEGATIVE_INFINITY
  }
  return { read, committed, close }
}

function openSeries(address: string) {
  const known = new Map<string, Series>()
  const of = ({ metric, attributes }: Reading): Series => {
    const key = `${metric.name}\0${Object.values(attributes).join('\0')}`
    const one = known.get(key) ?? metric.of({ 'server.address': address, ...attributes })
    if (known.size > mostSeries) known.clear()
    known.set(key, one)
    return one
  }
  const samples = (readings: readonly Reading[], time: number): Sample[] =>
    readings.map(reading => ({ series: of(reading), time, value: reading.value }))
  return { samples }
}
