// One target: asked, read, and told of whether that worked.

import { readFileSync } from 'node:fs'
import { secretPath } from '../../core/config-shapes.ts'
import { reason } from '../../core/errors.ts'
import type { Trouble } from '../../core/log.ts'
import type { Attributes, Observation, Sample, Series } from '../../core/model.ts'
import { readHeaders } from '../headers.ts'
import { chooser } from '../patterns.ts'
import type { Deriver } from './derive.ts'
import { type Credentials, openFetcher } from './fetch.ts'
import type { PrometheusOptions, TargetOptions } from './options.ts'
import { Scrape } from './scrape.ts'

export interface Target {
  /** Whether it answered, and all it told. Never throws: what went wrong is said once. */
  read(time: number, signal: AbortSignal): Promise<Reading>
  close(): void
}

export interface Reading extends Observation {
  readonly isUp: boolean
}

interface Surroundings {
  readonly trouble: Trouble
  readonly deriver: Deriver
  monotonic(): number
}

export function openTarget(options: PrometheusOptions, target: TargetOptions, at: Surroundings): Target {
  const { url } = target
  const { timeout, max_bytes, server_name, insecure, relabel, max_samples, honor_timestamps } = options
  const labels = { ...options.attributes, ...target.attributes }
  const attributes = addressOf(url)
  const fetcher = openFetcher({ url, timeout, maxBytes: max_bytes, serverName: server_name, insecure })
  const scrape = new Scrape({
    origin: url,
    labels,
    attributes,
    rules: relabel,
    chosen: chooser(options, []),
    feeds: at.deriver.feeds,
    maxSamples: max_samples,
    honorTimestamps: honor_timestamps,
  })
  const own = ownSeries({ ...labels, ...attributes })
  const upFeeds = at.deriver.feeds(own.up.name, own.up.attributes)
  let failures = 0

  const tell = (time: number, began: number, isUp: boolean, count: number): Sample[] => {
    const seconds = (at.monotonic() - began) / 1000
    for (const feed of upFeeds) feed.elements.push({ attributes: own.up.attributes, value: isUp ? 1 : 0 })
    const samples: Sample[] = [
      { series: own.up, time, value: isUp ? 1 : 0 },
      { series: own.duration, time, value: seconds },
    ]
    if (isUp) samples.push({ series: own.scraped, time, value: count })
    if (failures > 0) samples.push({ series: own.failures, time, value: failures })
    return samples
  }

  return {
    async read(time, signal) {
      const began = at.monotonic()
      try {
        const { bytes, format } = await fetcher.get(credentialsOf(options), signal)
        const { samples, distributions, count, odd } = scrape.read(bytes, format, time)
        at.trouble(url, odd)
        return { isUp: true, samples: [...samples, ...tell(time, began, true, count)], distributions, events: [] }
      } catch (error) {
        // Stopped in the middle of it: that tells nothing of the target.
        if (signal.aborted) return { isUp: false, samples: [], events: [] }
        failures++
        at.trouble(url, reason(error).replace(`${url}: `, ''))
        return { isUp: false, samples: tell(time, began, false, 0), events: [] }
      }
    },
    close: () => fetcher.close(),
  }
}

/** As the OpenTelemetry specification wants targets told apart; here on each series, as a node has many targets. */
function addressOf(url: string): Attributes {
  const { hostname, port, protocol } = new URL(url)
  const usual = protocol === 'https:' ? 443 : 80
  return { 'server.address': hostname.replace(/^\[|\]$/g, ''), 'server.port': port === '' ? usual : Number(port) }
}

/** What Prometheus itself tells of a target, under the names it has there. */
function ownSeries(attributes: Attributes) {
  const gauge = (name: string, unit: string): Series => ({ name, unit, kind: 'gauge', attributes })
  return {
    up: gauge('up', '1'),
    duration: gauge('scrape_duration_seconds', 's'),
    scraped: gauge('scrape_samples_scraped', '{sample}'),
    failures: { ...gauge('scrape_failures_total', '{scrape}'), kind: 'counter' as const },
  }
}

/** Read for each scrape, so that renewed ones come into use. @throws Refused that names the file. */
function credentialsOf(options: PrometheusOptions): Credentials {
  const { username, password_file, token_file, headers_file, ca, cert, key } = options
  const headers: Record<string, string> = headers_file === undefined ? {} : readHeaders(headers_file)
  if (username !== undefined && password_file !== undefined) {
    const both = `${username}:${secret('password_file', password_file)}`
    headers.authorization = `Basic ${Buffer.from(both).toString('base64')}`
  }
  if (token_file !== undefined) headers.authorization = `Bearer ${secret('token_file', token_file)}`
  return {
    headers,
    ...(ca !== undefined && { ca: read('ca', ca) }),
    ...(cert !== undefined && { cert: read('cert', cert) }),
    ...(key !== undefined && { key: read('key', key) }),
  }
}

function secret(key: string, file: string): string {
  return read(key, file).toString('utf8').trim()
}

function read(key: string, file: string): Buffer {
  try {
    return readFileSync(secretPath(file))
  } catch (cause) {
    throw new Error(`cannot read ${key} ${file}`, { cause })
  }
}
