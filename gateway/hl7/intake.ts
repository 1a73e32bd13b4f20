// One message, from its bytes to its answers: parsed, let in, mapped, handed on, and only then acknowledged.
//
// A message is known by its source and the hash of its bytes: one that its sender repeats is the same message, one under
// the same control id with other content is not. A message that makes no sense is kept aside, told of without a word of
// its content, and answered so that its sender goes on with the next.

import type { Emit } from '../../agent/source.ts'
import { Refused, reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import type { Say } from '../../core/log.ts'
import type { Event, Json } from '../../core/model.ts'
import { type Answering, answersTo, answerToNoise, type Verdict } from './ack.ts'
import { keepAside } from './aside.ts'
import { messagesIn } from './batch.ts'
import type { Counts, Outcome } from './counts.ts'
import type { Mapped, Mapper } from './mapper.ts'
import { Malformed, type Message, parse } from './message.ts'
import type { Frame } from './mllp.ts'
import type { Gate, Peer } from './senders.ts'

export interface IntakeOptions {
  readonly name: string
  readonly host: Pick<Host, 'now'>
  readonly say: Say
  readonly emit: Emit
  readonly gate: Gate
  readonly mapper: Mapper
  readonly counts: Counts
  readonly charset: string | undefined
  readonly max_message: number
  /** Without a folder nothing is kept, as without a spool. */
  readonly aside: { readonly folder: string | undefined; readonly most: number }
  /** Makes control ids of answers. */
  controlId(): string
}

/** How many control ids are remembered to tell when one comes again with other content. */
const mostIds = 10_000

/** The message makes no sense. `kind` may be told, the message of the error only to its sender and in the folder aside. */
class Unusable extends Error {
  readonly kind: string
  readonly verdict: Verdict

  constructor(kind: string, verdict: Exclude<Verdict, { outcome: 'accepted' }>, cause?: unknown) {
    super(verdict.text, { cause })
    this.kind = kind
    this.verdict = verdict
  }
}

export class Intake {
  readonly #options: IntakeOptions
  readonly #seen = new Map<string, string>()
  readonly #told = new Set<string>()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** The answers to a frame's message, when they may be sent; of a frame with several, to each. Never throws. */
  async take(frame: Frame, peer: Peer): Promise<readonly Buffer[]> {
    const messages = frame.tooLarge ? [frame.bytes] : messagesIn(frame.bytes)
    if (messages.length === 1) return this.#take({ ...frame, bytes: messages[0]! }, peer)
    return (await Promise.all(messages.map(bytes => this.#take({ bytes }, peer)))).flat()
  }

  async #take(frame: Frame, peer: Peer): Promise<readonly Buffer[]> {
    const { host, controlId } = this.#options
    const answering: Answering = { time: host.now(), controlId }
    const message = this.#parsed(frame.bytes)
    if (message instanceof Malformed) {
      const verdict = await this.#setAside(frame.bytes, peer, new Unusable('malformed', rejected(100, message.message)))
      return verdict.outcome === 'rejected' ? [answerToNoise(verdict.text, answering)] : []
    }
    return answersTo(message, await this.#verdict(message, frame, peer), answering)
  }

  #parsed(bytes: Buffer): Message | Malformed {
    try {
      return parse(bytes, { charset: this.#options.charset })
    } catch (error) {
      return error instanceof Malformed ? error : new Malformed('it cannot be read', { cause: error })
    }
  }

  async #verdict(message: Message, frame: Frame, peer: Peer): Promise<Verdict> {
    const { counts, gate } = this.#options
    if (message.type === 'ACK') return this.#done('answer', { outcome: 'accepted' })
    if (!gate.takes(message, peer)) return this.#unlisted(peer)
    try {
      return await (frame.tooLarge ? this.#tooLarge(peer) : this.#keep(message))
    } catch (error) {
      if (error instanceof Unusable) return await this.#setAside(frame.bytes, peer, error)
      counts.count('retry')
      return { outcome: 'error', condition: 207, text: 'cannot be stored now; send it again' }
    }
  }

  async #keep(message: Message): Promise<Verdict> {
    const { name, emit } = this.#options
    const print = printOf(message.bytes)
    const id = identityOf(message)
    const before = id === undefined ? undefined : this.#seen.get(id)
    if (before === print) return this.#done('repeated', { outcome: 'accepted' })
    const { observation, commit, drop } = this.#mapped(message)
    const events = before === undefined ? [] : [this.#reused(message)]
    const once = id === undefined ? {} : { once: `${name} hl7 ${print}` }
    try {
      await emit({ ...observation, events: [...observation.events, ...events], ...once })
      await commit()
    } catch (error) {
      drop()
      // What the edge will never take is the message's fault; all else may work the next time.
      if (error instanceof Refused) throw new Unusable('unusable', rejected(207, error.message), error)
      throw error
    }
    if (id !== undefined) this.#remember(id, print)
    return this.#done('stored', { outcome: 'accepted' })
  }

  #mapped(message: Message): Mapped {
    checkHeader(message)
    const { mapper, host } = this.#options
    try {
      return mapper.map(message, host.now())
    } catch (error) {
      throw new Unusable('unusable', rejected(207, reason(error)), error)
    } finally {
      // While it is on its way to the disk only its answer needs it, and that the header alone.
      message.release()
    }
  }

  #remember(id: string, print: string): void {
    this.#seen.delete(id)
    this.#seen.set(id, print)
    if (this.#seen.size > mostIds) this.#seen.delete(this.#seen.keys().next().value!)
  }

  /** By its print alone: a sender may write anything into MSH-3 and MSH-10. */
  #reused({ bytes }: Message): Event {
    return this.#event('hl7.control-id.reused', { print: printOf(bytes).slice(0, 16) })
  }

  #done(outcome: Outcome, verdict: Verdict): Verdict {
    this.#options.counts.count(outcome)
    return verdict
  }

  #unlisted(peer: Peer): Verdict {
    const message = `${peer.address} sends messages of an application or facility that may not`
    if (this.#isNews(`unlisted ${peer.address}`)) this.#options.say('warning', message, { source: this.#options.name })
    return this.#done('unlisted', rejected(207, 'this sender is not allowed here'))
  }

  async #tooLarge(peer: Peer): Promise<Verdict> {
    const { max_message } = this.#options
    if (this.#isNews(`too-large ${peer.address}`))
      await this.#tell('hl7.too-large', peer, { bytes_allowed: max_message })
    return this.#done('too-large', rejected(207, `larger than ${max_message} bytes`))
  }

  /** What is counted each time and said once. */
  #isNews(what: string): boolean {
    if (this.#told.has(what) || this.#told.size >= mostIds) return false
    this.#told.add(what)
    return true
  }

  /** Rejected when it is safe in the folder and told of; until then its sender shall keep it. */
  async #setAside(bytes: Buffer, peer: Peer, { kind, verdict, message }: Unusable): Promise<Verdict> {
    const { aside, host, counts } = this.#options
    const print = printOf(bytes).slice(0, 16)
    const about = { kind, reason: message, peer: peer.address, print, time: host.now() }
    try {
      if (aside.folder !== undefined) keepAside(aside.folder, aside.most, { ...about, bytes })
      await this.#tell('hl7.aside', peer, { kind, print, bytes: bytes.length }, `hl7 aside ${print}`)
    } catch (error) {
      this.#options.say('error', `cannot keep a message aside: ${reason(error)}`, { source: this.#options.name })
      counts.count('retry')
      return { outcome: 'error', condition: 207, text: 'cannot be kept now; send it again' }
    }
    return this.#done('aside', verdict)
  }

  async #tell(name: string, peer: Peer, body: Readonly<Record<string, Json>>, once?: string): Promise<void> {
    const events = [this.#event(name, { ...body, 'network.peer.address': peer.address })]
    await this.#options.emit({ samples: [], events, ...(once !== undefined && { once }) })
  }

  #event(name: string, body: Json): Event {
    const { name: source, host } = this.#options
    return { name, time: host.now(), severity: 'warning', body, attributes: { source } }
  }
}

function rejected(condition: 100 | 101 | 203 | 207, text: string, field?: number) {
  return {
    outcome: 'rejected',
    condition,
    text,
    ...(field !== undefined && { at: ['MSH', 1, field] as const }),
  } as const
}

/** Clause 2.9.2.2: what is looked at before the content. */
function checkHeader({ type, version }: Message): void {
  if (type === '') throw new Unusable('unusable', rejected(101, 'MSH-9 does not say what the message is', 9))
  if (version !== '' && !/^2(\.|$)/.test(version))
    throw new Unusable('unusable', rejected(203, 'MSH-12 is no version 2', 12))
}

/** Who numbered it, and how; undefined where it has no number and cannot be told from another one alike. */
function identityOf({ header, controlId }: Message): string | undefined {
  return controlId === '' ? undefined : [3, 4, 10].map(n => header.field(n).text).join('\r')
}

/** Line ends behind the last segment are the frame's. */
function printOf(bytes: Buffer): string {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x0d || bytes[end - 1] === 0x0a)) end--
  return process.getBuiltinModule('node:crypto').hash('sha256', bytes.subarray(0, end))
}
