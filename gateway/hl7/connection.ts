// One sender's connection: frames in, answers out in the order of their messages. A sender need not wait for an answer
// before it sends on; what it sends ahead is durable together, one fsync for all.
//
// It is read only as far as the gateway keeps up: not while too many messages wait for their answers, nor faster than its
// pace. What waits when it closes is finished and stored; the answer goes nowhere, and the sender sends it again.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Host } from '../../core/host.ts'
import type { Counts } from './counts.ts'
import type { Intake } from './intake.ts'
import { type Frame, Framer, framed } from './mllp.ts'
import type { Pace } from './pace.ts'
import type { Peer } from './senders.ts'

/** Messages of a connection that may wait for their answers; a chunk of 64 KiB may bring more at once. */
const mostWaiting = 64

export interface ConnectionOptions {
  readonly host: Pick<Host, 'sleep'>
  readonly intake: Pick<Intake, 'take'>
  readonly pace: Pace
  readonly counts: Counts
  readonly max_message: number
  /** ms without a byte: between frames, and within one. */
  readonly idle: number
  readonly frame_timeout: number
}

/** Serves until the connection ends or `signal` aborts; resolves when nothing of it is under way. Never throws. */
export async function serve(
  socket: Socket,
  peer: Peer,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<void> {
  const connection = new Connection(socket, peer, options, signal)
  await connection.ended
}

class Connection {
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #peer: Peer
  readonly #options: ConnectionOptions
  readonly #signal: AbortSignal
  readonly #framer: Framer
  readonly #closed = new AbortController()
  #waiting = 0
  #held = false
  #answered: Promise<void> = Promise.resolve()

  constructor(socket: Socket, peer: Peer, options: ConnectionOptions, signal: AbortSignal) {
    this.#socket = socket
    this.#peer = peer
    this.#options = options
    this.#signal = signal
    this.#framer = new Framer(options.max_message)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise.then(() => this.#answered)
    const stop = (): void => {
      socket.pause()
      void this.#answered.then(() => socket.destroySoon())
    }
    socket.setNoDelay(true).setKeepAlive(true, 60_000).setTimeout(options.idle)
    socket.on('data', chunk => this.#read(chunk))
    socket.on('timeout', () => this.#silent())
    // A reset is an end like any other; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      signal.removeEventListener('abort', stop)
      this.#closed.abort()
      resolve()
    })
    signal.addEventListener('abort', stop)
  }

  #read(chunk: Buffer): void {
    const { counts } = this.#options
    const [noise, cut] = [this.#framer.noise, this.#framer.cut]
    for (const frame of this.#framer.push(chunk)) this.#take(frame)
    counts.noise += this.#framer.noise - noise
    counts.cut += this.#framer.cut - cut
    this.#socket.setTimeout(this.#framer.isInside ? this.#options.frame_timeout : this.#options.idle)
  }

  #take(frame: Frame): void {
    this.#waiting++
    const answers = this.#options.intake.take(frame, this.#peer)
    this.#answered = this.#answered.then(async () => {
      for (const answer of await answers) await this.#send(answer)
      this.#waiting--
      this.#goOn()
    })
    this.#slowDown(this.#options.pace.take(this.#peer.address))
  }

  /** A sender that does not read its answers is not read either. */
  async #send(answer: Buffer): Promise<void> {
    if (!this.#socket.writable || this.#socket.write(framed(answer))) return
    await once(this.#socket, 'drain', { signal: this.#closed.signal }).catch(() => undefined)
  }

  #slowDown(wait: number): void {
    if (wait > 0 && !this.#held) {
      this.#held = true
      void this.#options.host.sleep(wait, this.#signal).then(() => {
        this.#held = false
        this.#goOn()
      })
    }
    if (this.#held || this.#waiting >= mostWaiting) this.#socket.pause()
  }

  #goOn(): void {
    if (!this.#held && this.#waiting < mostWaiting && this.#socket.isPaused()) this.#socket.resume()
  }

  /**
   * A sender that never ends its frames waits for an answer: its message is whole if it ends as one does. One that does
   * end them was cut off.
   */
  #silent(): void {
    const isStuck = this.#socket.writableLength > 0
    if (this.#socket.isPaused() && !isStuck) return void this.#socket.setTimeout(this.#options.idle)
    const frame = this.#framer.isInside && !this.#framer.hasEnds ? this.#framer.finish() : undefined
    if (frame === undefined) {
      if (this.#framer.isInside) this.#options.counts.cut++
      this.#socket.destroy()
      return
    }
    this.#take(frame)
    this.#socket.setTimeout(this.#options.idle)
  }
}
