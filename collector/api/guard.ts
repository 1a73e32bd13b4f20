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
