// GETs of a Redfish service over one kept-alive TLS connection (DSP0266). Nothing is sent before the peer is known: by the
// authorities trusted, or by the one certificate that is pinned. Links that lead elsewhere are not followed.

import type { IncomingHttpHeaders } from 'node:http'
import type { Agent, AgentOptions, RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'

export interface ClientOptions {
  /** `https://bmc.example`, without a path. */
  readonly url: string
  /** Asked before each login, so that a changed password counts. */
  credentials(): { readonly username: string; readonly password: string } | undefined
  readonly auth: 'basic' | 'session'
  /** PEM text of the authority to trust instead of the system's. */
  readonly ca: Buffer | undefined
  /** SHA-256 of the certificate, hex digits; then nothing else of it matters. */
  readonly fingerprint: string | undefined
  /** For each exchange, ms. */
  readonly timeout: number
}

/** Status of an answer that is not what was asked for. */
export class StatusError extends Error {
  readonly status: number

  constructor(question: string, status: number) {
    super(`${question}: status ${status}`)
    this.status = status
  }
}

export interface Client {
  /** The resource at a path of the service. @throws Error that names the path. */
  get(path: string, signal: AbortSignal): Promise<unknown>
  /** Ends the session and the connection. */
  close(): void
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const mostBytes = 4 * 1024 ** 2
const sessions = '/redfish/v1/SessionService/Sessions'

export function openClient(options: ClientOptions): Client {
  const { url, credentials, auth, timeout } = options
  let agent: Agent | undefined
  let session: { readonly token: string; readonly place: string | undefined } | undefined

  const ask = (method: string, path: string, headers: Record<string, string>, signal?: AbortSignal, body?: string) => {
    agent ??= openAgent(options)
    return exchange(`${url}${path}`, { method, headers, agent, ...(signal && { signal }) }, timeout, body)
  }

  const login = async (signal: AbortSignal): Promise<Record<string, string>> => {
    const known = credentials()
    if (known === undefined) return {}
    const { username, password } = known
    if (auth === 'basic') return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
    session ??= await begin(JSON.stringify({ UserName: username, Password: password }), signal)
    return { 'x-auth-token': session.token }
  }

  const begin = async (body: string, signal: AbortSignal) => {
    const { status, headers } = await ask('POST', sessions, { 'content-type': 'application/json' }, signal, body)
    const token = headers['x-auth-token']
    if (status >= 300 || typeof token !== 'string') throw new StatusError(`POST ${sessions}`, status)
    return { token, place: pathOf(headers.location, url) }
  }

  /** A redirection that only adds or takes away the last slash is followed. */
  const fetch = async (path: string, signal: AbortSignal): Promise<Answer> => {
    const headers = { accept: 'application/json', 'odata-version': '4.0', ...(await login(signal)) }
    const answer = await ask('GET', path, headers, signal)
    const other = answer.status >= 301 && answer.status <= 308 ? pathOf(answer.headers.location, url) : undefined
    return other !== undefined && other.replace(/\/$/, '') === path.replace(/\/$/, '')
      ? ask('GET', other, headers, signal)
      : answer
  }

  const get = async (path: string, signal: AbortSignal): Promise<unknown> => {
    let answer = await fetch(path, signal)
    if (answer.status === 401 && session !== undefined) {
      session = undefined
      answer = await fetch(path, signal)
    }
    if (answer.status !== 200) throw new StatusError(`GET ${path}`, answer.status)
    try {
      return JSON.parse(answer.body.toString('utf8'))
    } catch (cause) {
      throw new Error(`GET ${path}: the answer is not JSON`, { cause })
    }
  }

  const close = (): void => {
    const [left, by] = [session, agent]
    session = undefined
    agent = undefined
    if (left?.place === undefined || by === undefined) {
      by?.destroy()
      return
    }
    // A BMC has room for few sessions. If this fails it ends the session by itself some time.
    const end = { method: 'DELETE', headers: { 'x-auth-token': left.token }, agent: by }
    exchange(`${url}${left.place}`, end, timeout)
      .catch(() => undefined)
      .finally(() => by.destroy())
  }
  return { get, close }
}

/** The path of a link on the same service; undefined for one that leads elsewhere. */
export function pathOf(link: unknown, url = ''): string | undefined {
  if (typeof link !== 'string' || link.length > 1000) return undefined
  const path = url !== '' && link.startsWith(`${url}/`) ? link.slice(url.length) : link
  return /^\/redfish\/[\x21-\x7e]*$/.test(path) && !path.includes('/../') ? path : undefined
}

function openAgent({ ca, fingerprint, timeout }: ClientOptions): Agent {
  const { Agent } = process.getBuiltinModule('node:https')
  const keep: AgentOptions = { keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.2', ...(ca && { ca }) }
  const agent = new Agent(keep)
  if (fingerprint !== undefined) agent.createConnection = pinned(fingerprint, timeout)
  return agent
}

/** Hands the connection out only once the certificate is known to be the one. */
function pinned(fingerprint: string, timeout: number) {
  const wanted = fingerprint.replaceAll(':', '').toLowerCase()
  return (options: unknown, done?: (error: Error | null, stream: Duplex) => void): Duplex | null => {
    const tls = process.getBuiltinModule('node:tls')
    const socket = tls.connect({ ...(options as ConnectionOptions), rejectUnauthorized: false })
    const failed = (error: Error): void => done?.(error, socket)
    socket.once('error', failed)
    socket.setTimeout(timeout, () => socket.destroy(new Error(`no TLS within ${timeout / 1000} s`)))
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase()
      if (shown !== wanted) return socket.destroy(new Error(`its certificate has the SHA-256 fingerprint ${shown}`))
      socket.off('error', failed)
      socket.setTimeout(0)
      return done?.(null, socket)
    })
    return null
  }
}

function exchange(url: string, options: RequestOptions, timeout: number, body?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const question = `${options.method} ${url}`
  const request = process.getBuiltinModule('node:https').request(url, options)
  const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout)
  request.once('close', () => clearTimeout(timer))
  request.once('error', cause => reject(new Error(question, { cause })))
  request.once('response', answer => {
    const pieces: Buffer[] = []
    let size = 0
    answer.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > mostBytes) request.destroy(new Error(`the answer is larger than ${mostBytes} bytes`))
      else pieces.push(piece)
    })
    answer.once('error', cause => reject(new Error(`${question}: the answer broke off`, { cause })))
    answer.once('end', () =>
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }),
    )
  })
  request.end(body)
  return promise
}
