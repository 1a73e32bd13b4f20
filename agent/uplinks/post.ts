// HTTP POST over one kept-alive connection. node:http(s), because fetch costs 29 MB more RSS (97 against 67 MB after 200
// posts, Node 24); loaded with the first post, because an agent without such an uplink need not pay the 3 MB.

import { readFileSync } from 'node:fs'
import type { Agent, IncomingHttpHeaders, RequestOptions } from 'node:http'
import { Refused } from '../../core/errors.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** At most its first 64 KiB. */
  readonly body: Buffer
}

export interface Poster {
  /** `path` is appended to the URL. Resolves with any complete answer, whatever its status; throws when there is none. */
  post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array, signal: AbortSignal): Promise<Answer>
  close(): void
}

export interface PosterOptions {
  readonly url: string
  /** A PEM file with the authority to trust instead of the system's. */
  readonly ca: string | undefined
  /** For the whole exchange, ms. */
  readonly timeout: number
}

const mostBody = 64 * 1024

/** @throws Refused where the authority cannot be read. */
export function openPoster({ url, ca, timeout }: PosterOptions): Poster {
  const base = url.replace(/\/+$/, '')
  const secure = base.startsWith('https:')
  const authority = ca === undefined ? {} : { ca: readAuthority(ca) }
  const keep = { keepAlive: true, maxSockets: 1, ...(secure && { ...authority, minVersion: 'TLSv1.2' as const }) }
  let agent: Agent | undefined

  const once = (path: string, options: RequestOptions, body: Uint8Array): Promise<Answer | 'stale'> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer | 'stale'>()
    const { request: start, Agent } = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    agent ??= new Agent(keep)
    const request = start(`${base}${path}`, { ...options, agent })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout} ms`)), timeout)
    request.on('close', () => clearTimeout(timer))
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve('stale')
      else reject(new Error(`POST ${base}${path}`, { cause: error }))
    })
    request.on('response', answer => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        if (size < mostBody) chunks.push(chunk.subarray(0, mostBody - size))
        size += chunk.length
      })
      answer.on('error', error => reject(new Error(`POST ${base}${path}: the answer broke off`, { cause: error })))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      )
    })
    request.end(body)
    return promise
  }

  return {
    async post(path, headers, body, signal) {
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': String(body.length) },
        signal,
      }
      // A server may close an idle connection at the moment we use it: that is no failure of the server, once.
      const answer = await once(path, options, body)
      const again = answer === 'stale' ? await once(path, options, body) : answer
      if (again === 'stale') throw new Error(`POST ${base}${path}: the connection was reset`)
      return again
    },
    close: () => agent?.destroy(),
  }
}

function readAuthority(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Refused(`cannot read ca ${file}`, { cause })
  }
}
