// What every answer carries and every request must pass, page and API alike.
// A connection that arrives on loopback must name loopback as its host: a foreign page whose name was made to resolve
// to 127.0.0.1 (DNS rebinding) reaches the port, but its browser sends the foreign name. No CORS header is ever sent,
// so no other origin may read an answer.

import type { FastifyInstance } from 'fastify'

/** One origin, no inline script or style, never inside a frame. */
export const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

/**
 * What changes something is taken from this page and from programs, not from pages of other origins: a browser says where a
 * request comes from. (A form of another origin also cannot send JSON, and nothing else is taken.)
 * https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header, RFC 6454 section 7.
 */
export function guardChanges(scope: FastifyInstance): void {
  scope.removeContentTypeParser('text/plain')
  scope.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'HEAD') return
    const { 'sec-fetch-site': site, origin, host } = request.headers
    const isOwn =
      site === undefined
        ? origin === undefined || isOrigin(origin, host)
        : ['same-origin', 'none'].includes(String(site))
    if (!isOwn) return reply.code(403).send({ error: 'pages of other origins may not change anything here' })
  })
}

function isOrigin(origin: string, host = ''): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}

export function guard(scope: FastifyInstance): void {
  scope.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    if (!isLoopback(request.raw.socket.localAddress) || isLoopbackName(request.headers.host)) return
    const got = JSON.stringify((request.headers.host ?? '').slice(0, 100))
    const error = `this address answers to the hosts localhost, 127.0.0.1 and [::1] only, not to ${got}`
    return reply.code(421).send({ error })
  })
}

/** Unknown (a request that came over no network) counts as loopback. */
function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === '::1' || /^(::ffff:)?127\./.test(address)
}

function isLoopbackName(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host ?? '')
}
