// A listener on a free port over an emit that the test holds in its hand, and a sender that waits for answers.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import type { Emit } from '../../../agent/source.ts'
import { realHost } from '../../../core/host.ts'
import type { Observation } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { listen } from '../../../gateway/hl7/listener.ts'
import { openMapper } from '../../../gateway/hl7/mapper.ts'
import { type Message, parse } from '../../../gateway/hl7/message.ts'
import { Framer, framed } from '../../../gateway/hl7/mllp.ts'
import { hl7 } from '../../../gateway/sources/hl7.ts'

export interface Ward {
  readonly port: number
  /** What was handed on, but for what the source tells of itself. */
  readonly emitted: Observation[]
  readonly said: string[]
  readonly folder: string
  stop(): Promise<void>
}

export async function ward(t: Test, options: object = {}, emit: Emit = async () => {}): Promise<Ward> {
  const place = new Place()
  const read = hl7.options.read({ listen: '127.0.0.1:0', ...options }, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  const [emitted, said]: [Observation[], string[]] = [[], []]
  // The test's own folder stays the test's.
  const top = mkdtempSync(join(tmpdir(), 'fieldline-ward-'))
  const folder = join(top, 'aside')
  const say = (_: string, text: string) => void said.push(text)
  const mapper = openMapper(read, { name: 'ward', keep: memoryKeep() })
  const at = { name: 'ward', host: realHost(), say, folder }
  const taking: Emit = async observation => {
    if (observation.events.length === 0) return
    await emit(observation)
    emitted.push(observation)
  }
  const ending = new AbortController()
  const { promise: listening, resolve } = Promise.withResolvers<number>()
  const running = listen({ ...read, mapper }, at, taking, ending.signal, resolve)
  const stop = async (): Promise<void> => {
    ending.abort()
    await running
    rmSync(top, { recursive: true, force: true })
  }
  t.teardown(stop)
  const failed = running.then(() => Promise.reject(new Error('it ended')))
  return { port: await Promise.race([listening, failed]), emitted, said, folder, stop }
}

export interface Monitor {
  readonly socket: Socket
  write(bytes: string | Buffer): void
  /** The next answer. */
  answer(): Promise<Message>
  /** Sends one message and waits for its answer: `AA`. */
  send(message: string): Promise<string>
}

export async function monitor(t: Test, socket: Socket): Promise<Monitor> {
  const framer = new Framer(1024 ** 2)
  const answers: Message[] = []
  let wake = (): void => {}
  socket.on('data', chunk => {
    for (const { bytes } of framer.push(chunk)) answers.push(parse(bytes))
    wake()
  })
  socket.on('close', () => wake())
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  const answer = async (): Promise<Message> => {
    while (answers.length === 0) {
      if (socket.closed) throw new Error('the connection was closed')
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    return answers.shift()!
  }
  return {
    socket,
    write: bytes => void socket.write(bytes),
    answer,
    async send(message) {
      socket.write(framed(Buffer.from(message)))
      return codeOf(await answer())
    },
  }
}

export async function connected(t: Test, port: number): Promise<Monitor> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return monitor(t, socket)
}

/** However it ends. */
export async function closed(socket: Socket): Promise<void> {
  await new Promise(resolve => socket.once('close', resolve))
}

export function codeOf(answer: Message): string {
  return answer.segment('MSA')!.field(1).text
}

/** Of a kind that is only told of, so that each makes one event. */
export function oru(id: string | number, value: string | number = 80, header = ''): string {
  return `MSH|^~\\&|MON|ICU|GW|HOME|20260101||ORM^O01^ORM_O01|${id}|P|2.6${header}\rPID|||4711||Doe^John\rOBX|1|NM|x||${value}\r`
}
