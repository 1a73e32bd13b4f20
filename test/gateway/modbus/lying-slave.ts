// A slave of our own that answers by rules, rightly where there is none: what no decent slave can be made to do.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import { ModbusLink } from '../../../gateway/modbus/link.ts'
import { crc16 } from '../../../gateway/modbus/rtu.ts'

export interface Asked {
  readonly transaction: number
  readonly unit: number
  readonly pdu: Buffer
}

/** Answers one request in place of the slave. */
export type Rule = (asked: Asked, say: (bytes: Uint8Array) => void, socket: Socket) => void

export interface LyingSlave {
  readonly server: Server
  readonly sockets: Set<Socket>
  readonly port: number
  /** Everything it was asked, in order. */
  readonly asked: Asked[]
  /** How the next requests are answered; afterwards rightly again. */
  readonly rules: Rule[]
  /** How requests are answered for which there is no rule left. */
  otherwise: Rule
  link(options?: Partial<ConstructorParameters<typeof ModbusLink>[0]>): ModbusLink
}

/** A right answer to a read of registers: `base`, `base + 1` ... */
export function registers({ pdu }: Asked, base = 7): Buffer {
  const count = pdu.readUInt16BE(3)
  const answer = Buffer.alloc(2 + count * 2)
  answer[0] = pdu[0]!
  answer[1] = count * 2
  for (let n = 0; n < count; n++) answer.writeUInt16BE((base + n) & 0xffff, 2 + n * 2)
  return answer
}

export function tcpFrame({ transaction, unit }: Pick<Asked, 'transaction' | 'unit'>, pdu: Uint8Array): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt16BE(transaction & 0xffff, 0)
  header.writeUInt16BE(pdu.length + 1, 4)
  header[6] = unit
  return Buffer.concat([header, pdu])
}

export function rtuFrame({ unit }: Pick<Asked, 'unit'>, pdu: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.of(unit), pdu])
  const sum = crc16(body, 0, body.length)
  return Buffer.concat([body, Buffer.of(sum & 0xff, sum >> 8)])
}

const kinds = {
  tcp: { frame: tcpFrame, size: (bytes: Buffer) => (bytes.length < 7 ? 7 : 6 + bytes.readUInt16BE(4)) },
  // Only functions 1 to 6 are asked by the tests with rules: eight bytes each.
  'rtu-tcp': { frame: rtuFrame, size: () => 8 },
} as const

export async function lyingSlave(t: Test, transport: keyof typeof kinds, rules: Rule[] = []): Promise<LyingSlave> {
  const { frame, size } = kinds[transport]
  const sockets = new Set<Socket>()
  const asked: Asked[] = []
  const parse = (bytes: Buffer): Asked =>
    transport === 'tcp'
      ? { transaction: bytes.readUInt16BE(0), unit: bytes[6]!, pdu: Buffer.from(bytes.subarray(7)) }
      : { transaction: 0, unit: bytes[0]!, pdu: Buffer.from(bytes.subarray(1, -2)) }
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    let rest = Buffer.alloc(0)
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= size(rest)) {
        const one = parse(rest.subarray(0, size(rest)))
        rest = rest.subarray(size(rest))
        asked.push(one)
        const rule = rules.shift() ?? slave.otherwise
        rule(one, bytes => socket.writable && socket.write(bytes), socket)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const line = { transport, host: '127.0.0.1', port } as const
  const machine = {}
  const slave: LyingSlave = {
    server,
    sockets,
    port,
    asked,
    rules,
    otherwise: (one, say) => say(frame(one, registers(one))),
    link(options) {
      const link = new ModbusLink({ line, unit_id: 3, timeout: 20_000, outstanding: 1, pace: 0, ...options }, machine)
      t.teardown(() => link.close())
      return link
    },
  }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return slave
}

/** Tries until it works; a link refuses at once while a unit or its connection rests. */
export async function untilGood<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 20_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
