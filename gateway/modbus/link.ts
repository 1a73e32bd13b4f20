// One connection to one Modbus TCP server, one request outstanding.
// After a time-out or anything that breaks the protocol the connection is dropped, and stale bytes with it: an answer
// that comes late, twice or for somebody else can never be taken for the next reading. An exception response is a whole,
// right answer and leaves the connection as it is. Reconnecting backs off from 0.1 to 30 s; meanwhile reads fail at once.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import library from 'modbus-serial'
import { backoff } from '../../core/backoff.ts'
import { monotonic } from '../../core/clock.ts'
import { ModbusException } from './pdu.ts'
import type { Block } from './plan.ts'
import { isBits, type Table } from './registers.ts'

const Modbus = library.default
type Modbus = InstanceType<typeof Modbus>

export interface LinkOptions {
  readonly host: string
  readonly port: number
  readonly unit_id: number
  /** For connecting, and for each answer, ms. */
  readonly timeout: number
}

interface Open {
  readonly socket: Socket
  readonly client: Modbus
  /** Fails the request that is outstanding. */
  fail: (error: Error) => void
}

export class ModbusLink {
  readonly #options: LinkOptions
  readonly #pause = backoff({ min: 100, max: 30_000 })
  #open: Open | undefined
  #notBefore = 0

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The block's data bytes: registers high byte first, or packed bits. Throws ModbusException, or what broke the link. */
  async read(block: Block): Promise<Buffer> {
    const open = await this.#connected()
    try {
      const answer = await request(open, block)
      const wanted = isBits(block.table) ? Math.ceil(block.count / 8) : block.count * 2
      if (answer.length !== wanted) throw new Error(`answered ${answer.length} bytes where ${wanted} were asked for`)
      this.#pause.reset()
      return answer
    } catch (error) {
      const code = exceptionCode(error)
      if (code !== undefined) throw new ModbusException(code, this.#what(block))
      this.#drop()
      throw new Error(`${this.#what(block)}: ${messageOf(error)}`)
    }
  }

  close(): void {
    this.#open?.socket.destroy()
    this.#open = undefined
  }

  async #connected(): Promise<Open> {
    if (this.#open) return this.#open
    const { host, port } = this.#options
    const wait = this.#notBefore - monotonic()
    if (wait > 0) throw new Error(`${host}:${port} is not connected; trying again in ${Math.ceil(wait / 100) / 10} s`)
    try {
      this.#open = await this.#connect()
      return this.#open
    } catch (cause) {
      this.#drop()
      throw new Error(`connecting to ${host}:${port}: ${(cause as Error).message}`, { cause })
    }
  }

  async #connect(): Promise<Open> {
    const { host, port, unit_id, timeout } = this.#options
    const socket = connect({ host, port, noDelay: true, keepAlive: true })
    const signal = AbortSignal.timeout(timeout)
    try {
      await once(socket, 'connect', { signal })
    } catch (cause) {
      socket.destroy()
      throw signal.aborted ? new Error(`no answer within ${timeout} ms`, { cause }) : cause
    }
    const client = new Modbus()
    await client.connectTCP(host, { port, socket })
    client.setID(unit_id)
    client.setTimeout(timeout)
    const open: Open = { socket, client, fail: () => undefined }
    socket.once('close', () => this.#closed(open))
    return open
  }

  #closed(open: Open): void {
    if (this.#open === open) this.#open = undefined
    open.fail(new Error('the device closed the connection'))
  }

  #drop(): void {
    this.close()
    this.#notBefore = monotonic() + this.#pause.next()
  }

  #what({ table, address, count }: Block): string {
    const { host, port, unit_id } = this.#options
    return `reading ${count} of ${table} from ${address} of unit ${unit_id} at ${host}:${port}`
  }
}

const functions = {
  coil: 'readCoils',
  'discrete-input': 'readDiscreteInputs',
  'holding-register': 'readHoldingRegisters',
  'input-register': 'readInputRegisters',
} as const satisfies Record<Table, keyof Modbus>

function request(open: Open, { table, address, count }: Block): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    open.fail = reject
    open.client[functions[table]](address, count).then(({ buffer }) => resolve(buffer), reject)
  })
}

/** The library throws a time-out that is no Error, with a message all the same. */
function messageOf(error: unknown): string {
  return String((error as { message?: unknown }).message ?? error)
}

function exceptionCode(error: unknown): number | undefined {
  const code: unknown = (error as { modbusCode?: unknown }).modbusCode
  return typeof code === 'number' ? code : undefined
}
