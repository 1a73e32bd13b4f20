// An exporter for tests: an HTTP server on a free port of loopback that answers what it is told to.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { Test } from 'tap'

export interface Exporter {
  readonly url: string
  readonly requests: readonly IncomingMessage[]
  /** Connections so far. */
  readonly connections: number
  /** What it answers from now on. */
  answer: string | Answer
}

export type Answer = (answer: ServerResponse, request: IncomingMessage) => void

export async function exporter(t: Test, answer: Exporter['answer'], tls?: ServerOptions): Promise<Exporter> {
  const requests: IncomingMessage[] = []
  const connections = { count: 0 }
  const serve: RequestListener = (request, response) => {
    requests.push(request)
    if (typeof made.answer === 'string') response.setHeader('content-type', 'text/plain').end(made.answer)
    else made.answer(response, request)
  }
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  server.on(tls === undefined ? 'connection' : 'secureConnection', () => connections.count++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections()
    server.close()
  })
  const made = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    requests,
    get connections() {
      return connections.count
    },
    answer,
  }
  return made
}
