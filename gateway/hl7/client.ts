// A sender of HL7 v2 over MLLP that obeys the acknowledgements: the next message goes when the one before is accepted;
// AE and CE, silence and a broken connection mean that it is sent again, AR and CR that it is given up.

import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from '../../core/backoff.ts'
import { reason } from '../../core/errors.ts'
import { type Message, parse } from './message.ts'
import { Framer, framed } from './mllp.ts'

export interface SenderOptions {
  readonly host: string
  readonly port: number
  /** PEM texts; undefined: no TLS. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined
  /** For connecting, and for each answer, ms. */
  readonly timeout: number
  /** How often a message is sent before it is given up. */
  readonly tries: number
}

export interface Sent {
  /** Of the last try; undefined where no answer came, or none was wanted. */
  readonly answer: Message | undefined
  /** `AA`; empty where none was wanted. */
  readonly code: string
  readonly accepted: boolean
  readonly tries: number
  /** From the last try to its answer, ms. */
  readonly took: number
  /** Why the last try failed without an answer. */
  readonly trouble?: string
}

const mostAnswer = 1024 ** 2

export class Sender {
  readonly #options: SenderOptions
  #link: Link | undefined

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Sends until it is accepted, refused for good, or was tried often enough. */
  async send(bytes: Buffer, signal: AbortSignal): Promise<Sent> {
    const message = parse(bytes)
    const pause = backoff({ min: 100, max: 5000 })
    for (let tries = 1; ; tries++) {
      const sent = await this.#try(message, tries)
      const isFinal = sent.accepted || /^.R$/.test(sent.code) || tries >= this.#options.tries
      if (isFinal || signal.aborted) return sent
      await delay(pause.next(), undefined, { signal }).catch(() => undefined)
    }
  }

  async #try(message: Message, tries: number): Promise<Sent> {
    const began = performance.now()
    const done = (code: string, answer?: Message): Sent => {
      const accepted = code === '' || code.endsWith('A')
      return { answer, code, accepted, tries, took: performance.now() - began }
    }
    try {
      if (this.#link === undefined || this.#link.isClosed) this.#link = await open(this.#options)
      this.#link.write(message.bytes)
      if (!wantsAnswer(message)) return done('')
      const answer = await this.#link.answerTo(message.header.field(10).text)
      return done(answer.segment('MSA')!.field(1).text, answer)
    } catch (error) {
      this.close()
      return { ...done('??'), accepted: false, code: '', trouble: reason(error) }
    }
  }

  close(): void {
    this.#link?.close()
    this.#link = undefined
  }
}

/** In enhanced mode it may want none (table 0155), or only of what went wrong: then silence is success. */
function wantsAnswer({ header }: Message): boolean {
  const [accept, application] = [header.field(15).component(), header.field(16).component()]
  if (accept === '' && application === '') return true
  return [accept, application].some(condition => condition === 'AL' || condition === 'SU')
}

interface Link {
  readonly isClosed: boolean
  write(message: Buffer): void
  /** @throws when none comes in time, or the connection ends. */
  answerTo(controlId: string): Promise<Message>
  close(): void
}

async function open({ host, port, tls, timeout }: SenderOptions): Promise<Link> {
  const socket = tls === undefined ? connectTcp({ host, port, noDelay: true }) : secure(host, port, tls)
  const ready = tls === undefined ? 'connect' : 'secureConnect'
  try {
    await once(socket, ready, { signal: AbortSignal.timeout(timeout) })
  } catch (cause) {
    socket.destroy()
    throw new Error(`cannot connect to ${host}:${port}`, { cause })
  }
  return linkOver(socket, timeout)
}

function secure(host: string, port: number, tls: NonNullable<SenderOptions['tls']>): Socket {
  const { connect } = process.getBuiltinModule('node:tls')
  return connect({ host, port, servername: /^[\d.:]+$/.test(host) ? '' : host, minVersion: 'TLSv1.2', ...tls })
}

function linkOver(socket: Socket, timeout: number): Link {
  const framer = new Framer(mostAnswer)
  let waiting: { readonly id: string; resolve(answer: Message): void; reject(error: Error): void } | undefined
  let trouble: Error | undefined
  socket.on('data', (chunk: Buffer) => {
    for (const { bytes } of framer.push(chunk)) {
      const answer = parse(bytes)
      // An answer to an earlier message comes too late.
      if (answer.segment('MSA')?.field(2).text === waiting?.id) waiting?.resolve(answer)
    }
  })
  socket.on('error', error => {
    trouble = error
  })
  socket.on('close', () => waiting?.reject(new Error('the connection was closed', { cause: trouble })))
  return {
    get isClosed() {
      return socket.destroyed
    },
    write: message => void socket.write(framed(message)),
    async answerTo(id) {
      const { promise, resolve, reject } = Promise.withResolvers<Message>()
      waiting = { id, resolve, reject }
      const timer = setTimeout(() => reject(new Error(`no answer within ${timeout / 1000} s`)), timeout)
      try {
        if (socket.destroyed) throw new Error('the connection was closed', { cause: trouble })
        return await promise
      } finally {
        clearTimeout(timer)
        waiting = undefined
      }
    },
    close: () => void socket.destroy(),
  }
}
