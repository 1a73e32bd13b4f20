// The connection to /api/live. The browser reconnects by itself except after a refusal; and it does not notice a peer
// that has gone without a word, so a silence of five seconds counts as loss too.

import type { Tick } from '../api/answers.ts'

export interface Listener {
  /** A failure closes the feed; it is opened again after a while. */
  opened(): Promise<void>
  tick(tick: Tick): void
  lost(): void
}

const patience = 5000
const pause = 2000

export function follow(listener: Listener): void {
  let heard = Date.now()
  let source = connect()
  setInterval(() => {
    if (Date.now() - heard < patience) return
    listener.lost()
    source.close()
    source = connect()
  }, pause)

  function connect(): EventSource {
    heard = Date.now()
    const next = new EventSource('/api/live')
    next.onopen = () => {
      heard = Date.now()
      listener.opened().catch(() => {
        listener.lost()
        next.close()
      })
    }
    next.onmessage = message => {
      heard = Date.now()
      listener.tick(JSON.parse(message.data))
    }
    next.onerror = () => listener.lost()
    return next
  }
}
