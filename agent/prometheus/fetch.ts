// HTTP GET of an exposition over one kept-alive connection. Redirects are not followed: they would send the credentials
// elsewhere. Whatever comes is bounded in time and in bytes, before and after decompression. node:http(s), loaded with the
// first request, for the reasons agent/uplinks/post.ts gives.

import type { Agent, IncomingMessage } from 'node:http'
import type { Format } from './exposition.ts'

/** What is read anew for each request, so that renewed certificates and tokens come into use. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

export interface FetchOptions {
  readonly url: string
  /** For the whole exchange, ms. */
  readonly timeout: number
  readonly maxBytes: number
  /** The name the certificate must have, where it is not the URL's. */
  readonly serverName: string | undefined
  /** Any certificate will do. */
  readonly insecure: boolean
}

export interface Fetched {
  readonly bytes: Buffer
  readonly format: Format
}

export interface Fetcher {
  /** @throws Error that names the URL. */
  get(credentials: Credentials, signal: AbortSignal): Promise<Fetched>
  close(): void
}

const accept =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.9,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

export function openFetcher(options: FetchOptions): Fetcher {
  const { url, timeout } = options
  const secure = url.startsWith('https:')
  let agent: Agent | undefined
  let trusted = ''

  /** Another certificate wants another connection. */
  const agentFor = (credentials: Credentials): Agent => {
    const { ca, cert, key } = credentials
    const now = [ca, cert, key].map(one => one?.toString('latin1') ?? '').join('\n')
    if (agent !== undefined && now === trusted) return agent
    agent?.destroy()
    trusted = now
    const { Agent } = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    agent = new Agent({ keepAlive: true, maxSockets: 1, ...(secure && tlsOptions(options, credentials)) })
    return agent
  }

  const once = (credentials: Credentials, signal: AbortSignal): Promise<Fetched | 'stale'> => {
    const { promise, resolve, reject } = Promise.withResolvers<Fetched | 'stale'>()
    const { request: start } = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    const headers = { 'user-agent': 'fieldline', ...credentials.headers, accept, 'accept-encoding': 'gzip' }
    const request = start(url, { headers, agent: agentFor(credentials), signal })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout)
    request.on('close', () => clearTimeout(timer))
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve('stale')
      else reject(new Error(url, { cause: error }))
    })
    request.on('response', answer => {
      bodyOf(answer, options.maxBytes).then(resolve, cause => {
        request.destroy()
        reject(new Error(url, { cause }))
      })
    })
    request.end()
    return promise
  }

  return {
    async get(credentials, signal) {
      // A server may close an idle connection at the moment we use it: that is no failure of the server, once.
      const answer = await once(credentials, signal)
      const again = answer === 'stale' ? await once(credentials, signal) : answer
      if (again === 'stale') throw new Error(`${url}: the connection was reset`)
      return again
    },
    close() {
      agent?.destroy()
      agent = undefined
    },
  }
}

function tlsOptions({ serverName, insecure }: FetchOptions, files: Credentials) {
  return {
    ...(files.ca && { ca: files.ca }),
    ...(files.cert && { cert: files.cert }),
    ...(files.key && { key: files.key }),
    ...(serverName !== undefined && { servername: serverName }),
    minVersion: 'TLSv1.2' as const,
    rejectUnauthorized: !insecure,
  }
}

async function bodyOf(answer: IncomingMessage, maxBytes: number): Promise<Fetched> {
  const { statusCode = 0, statusMessage, headers } = answer
  if (statusCode >= 300 && statusCode < 400)
    throw new Error(`answers with a redirect to ${headers.location}; write that address`)
  if (statusCode !== 200) throw new Error(`answers ${statusCode} ${statusMessage}`)
  const format = formatOf(headers['content-type'])
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new Error(`answers in the encoding ${encoding}, which was not asked for`)
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    pieces.push(piece)
  }
  if (!answer.complete) throw new Error('the answer broke off')
  const body = Buffer.concat(pieces)
  return { bytes: encoding === 'gzip' ? decompressed(body, maxBytes) : body, format }
}

function decompressed(body: Buffer, maxBytes: number): Buffer {
  const { gunzipSync } = process.getBuiltinModule('node:zlib')
  try {
    return gunzipSync(body, { maxOutputLength: maxBytes })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new Error('its gzip is damaged', { cause })
  }
}

function tooLarge(maxBytes: number): Error {
  return new Error(`exposes more than max_bytes, ${maxBytes}`)
}

/** The old exporters that say nothing, or say only text, mean the text format. */
function formatOf(contentType = 'text/plain'): Format {
  const type = contentType.split(';')[0]!.trim().toLowerCase()
  if (type === 'application/openmetrics-text') return 'openmetrics'
  if (type === 'text/plain') return 'text'
  throw new Error(`answers ${type}, which is no exposition`)
}
