// An OTLP backend that writes down what arrives, a line for each value and event.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Test } from 'tap'
import type { Attributes, Series } from '../../../core/model.ts'
import { decodeLogs, MetricDecoder, type ResourceEvent } from '../../../core/otlp/decode.ts'
import { nameOf } from '../source-contract.ts'

export interface Arrived {
  readonly time: number
  /** `kind name{attributes} unit` */
  readonly series: string
  readonly value: number
}

export interface FarEnd {
  readonly url: string
  readonly samples: readonly Arrived[]
  readonly events: readonly ResourceEvent[]
  /** Each that anything came with, as JSON. */
  readonly resources: ReadonlySet<string>
}

export async function farEnd(t: Test): Promise<FarEnd> {
  const samples: Arrived[] = []
  const events: ResourceEvent[] = []
  const resources = new Set<string>()
  const meet = (resource: Attributes): void => void resources.add(JSON.stringify(resource))
  const decoder = new MetricDecoder<string>({
    series: (resource: Attributes, series: Series) => {
      meet(resource)
      return nameOf(series)
    },
    sample: (series, time, value) => void samples.push({ time, series, value }),
  })
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (request.url === '/v1/metrics') decoder.decode(body)
    else events.push(...decodeLogs(body))
    for (const { resource } of events) meet(resource)
    response.writeHead(200).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, samples, events, resources }
}
