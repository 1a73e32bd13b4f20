// The network between two sides, in the hands of a test: a TCP proxy that can hold everything back without a word, reset
// it, or be slow.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface Way {
  readonly url: string
  readonly port: number
  /** Where new connections are led. */
  to: number
  /** As a pulled cable: nothing passes, in no direction, and neither side is told. */
  hold(): void
  /** Resets what is there and refuses what comes. */
  cut(): void
  /** As before; of what was held, connections that one side has given up meanwhile end now for the other. */
  heal(): void
  /** Resets what is there; what comes is let through. */
  reset(): void
  /** Each direction takes this long from now on, ms. */
  slow(ms: number): void
}

/** From a new port to `port`. */
export async function openWay(t: Test, port: number): Promise<Way> {
  const pairs = new Set<Pair>()
  const state = { mode: 'open' as 'open' | 'held' | 'cut', delay: 0 }
  const server = createServer({ noDelay: true }, socket => {
    if (state.mode === 'cut') return void socket.resetAndDestroy()
    const pair = openPair(socket, way.to, () => state.delay)
    pairs.add(pair)
    pair.closed.then(() => pairs.delete(pair))
    if (state.mode === 'held') pair.hold()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  const own = typeof at === 'object' && at !== null ? at.port : 0
  const reset = (): void => {
    for (const pair of pairs) pair.reset()
  }
  const way: Way = {
    url: `mqtt://127.0.0.1:${own}`,
    port: own,
    to: port,
    hold() {
      state.mode = 'held'
      for (const pair of pairs) pair.hold()
    },
    cut() {
      state.mode = 'cut'
      reset()
    },
    heal() {
      state.mode = 'open'
      for (const pair of pairs) pair.heal()
    },
    reset,
    slow(ms) {
      state.delay = ms
    },
  }
  t.teardown(() => {
    reset()
    server.close()
  })
  return way
}

interface Pair {
  readonly closed: Promise<void>
  hold(): void
  heal(): void
  reset(): void
}

function openPair(near: Socket, port: number, delay: () => number): Pair {
  const far = connect({ port, host: '127.0.0.1', noDelay: true })
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const ends = [near, far]
  let held = false
  const end = (): void => {
    if (held) return
    for (const socket of ends) socket.destroy()
    resolve()
  }
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('data', chunk => setTimeout(() => to.destroyed || to.write(chunk), delay()))
    from.on('error', () => undefined)
    from.on('close', end)
  }
  return {
    closed,
    hold() {
      held = true
      for (const socket of ends) socket.pause()
    },
    heal() {
      held = false
      if (ends.some(socket => socket.destroyed)) end()
      for (const socket of ends) socket.resume()
    },
    reset() {
      held = false
      for (const socket of ends) socket.resetAndDestroy()
    },
  }
}
