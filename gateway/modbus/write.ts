// Writing one register of a device, and reading back what it then has. One write at a time: a bit may have to be read,
// changed and written. What the limits of the configuration or the device forbid is Refused; after any other failure it is
// not known what the device has.

import type { Act } from '../../agent/source.ts'
import { Refused, reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import type { Json } from '../../core/model.ts'
import { nearest } from '../../core/shape.ts'
import { decoder, rawDecoder } from './decode.ts'
import { encodeRaw, masks, rawOf } from './encode.ts'
import { type Asks, ModbusException, type Write } from './pdu.ts'
import type { Register } from './registers.ts'
import { width } from './value-types.ts'

/** A PLC may take what was written over only at the end of its cycle: how long to wait before each look, ms. */
const looks = [0, 50, 100, 200, 400]

const illegalFunction = 1
/** Illegal function, address and value, and "negative acknowledge" (MODBUS Application Protocol V1.1b3, clause 7). */
const refusals: readonly number[] = [illegalFunction, 2, 3, 7]

interface Order {
  readonly register: Register
  /** As it was asked for, and as the device is to have it. */
  readonly value: Json
  readonly raw: number
}

/** The action `write`: `{ to: name of a register, value }`; resolves with the value, or its name, that was read back. */
export function writer(registers: readonly Register[], asks: Asks, host: Pick<Host, 'sleep'>): Act {
  let last: Promise<unknown> = Promise.resolve()
  const act = async (args: Readonly<Record<string, Json>>, signal: AbortSignal): Promise<Json> => {
    const register = find(registers, args.to)
    const value = args.value ?? null
    const order: Order = { register, value, raw: rawOf(register, value) }
    signal.throwIfAborted()
    await written(order, asks)
    return readBack(order, asks, host, signal)
  }
  return (args, signal) => {
    const mine = last.then(() => act(args, signal))
    last = mine.catch(() => undefined)
    return mine
  }
}

function find(registers: readonly Register[], to: Json | undefined): Register {
  if (typeof to !== 'string') throw new Refused('say which register: to is its name')
  const named = registers.filter(r => r.name === to)
  const writable = named.filter(r => r.write)
  if (writable.length > 1)
    throw new Refused(`there are ${writable.length} writable registers ${to}: give them their own names`)
  const register = writable[0] ?? named[0]
  if (register) return register
  const near = nearest(to, [...new Set(registers.map(r => r.name))])
  throw new Refused(`there is no register ${to}${near === undefined ? '' : `; did you mean ${near}?`}`)
}

async function written({ register, raw }: Order, asks: Asks): Promise<void> {
  try {
    for (const request of requests(register, raw)) {
      try {
        await asks.write(request)
        return
      } catch (error) {
        if (!(error instanceof ModbusException && error.code === illegalFunction)) throw error
        if (request.function === 22) return await setBits(register, request, asks)
        if (request.function !== 6) throw error
      }
    }
  } catch (error) {
    throw error instanceof ModbusException && isRefusal(error) ? refused(register, error) : error
  }
}

/** What to ask, first that which most devices have; the next where a device does not know the function. */
function requests(register: Register, raw: number): readonly Write[] {
  const { table, address, bits } = register
  if (table === 'coil') return [{ function: 5, address, value: raw === 1 }]
  if (bits) return [{ function: 22, address, ...masks(register, raw) }]
  const words = encodeRaw(register, raw)
  const all: Write = { function: 16, address, registers: words }
  return words.length === 2 ? [{ function: 6, address, value: words.readUInt16BE() }, all] : [all]
}

/** Where a device has no function 22: what another client writes between the two is undone. */
async function setBits(register: Register, { address, and, or }: Write & { readonly function: 22 }, asks: Asks) {
  const before = (await asks.read({ table: register.table, address, count: 1 })).readUInt16BE()
  await asks.write({ function: 6, address, value: (before & and) | (or & ~and & 0xffff) })
}

/** Whether nothing was written for certain: a device may also have failed while it did it (clause 7, code 4). */
function isRefusal({ code }: ModbusException): boolean {
  return refusals.includes(code)
}

function refused({ name }: Register, cause: ModbusException): Refused {
  return new Refused(`the device refuses to write register ${name}`, { cause })
}

/** What the device then has, as the configuration shows it. @throws Error where that is not what was written. */
async function readBack({ register, raw, value }: Order, asks: Asks, host: Pick<Host, 'sleep'>, signal: AbortSignal) {
  const { name, table, address } = register
  const decode = rawDecoder({ ...register, none: [] })
  const wanted = register.type === 'f32' ? Math.fround(raw) : raw
  let read: Buffer = Buffer.alloc(0)
  for (const wait of looks) {
    if (wait > 0) await host.sleep(wait, signal)
    try {
      read = await asks.read({ table, address, count: width(register) })
    } catch (cause) {
      throw new Error(`register ${name} was written, but could not be read back: ${reason(cause)}`, { cause })
    }
    if (decode(read, 0) === wanted) return shown(register, read)
    if (signal.aborted) break
  }
  const [wrote, found] = [value, shown(register, read)].map(v => JSON.stringify(v))
  throw new Error(`register ${name}: ${wrote} was written, ${found} was read back`)
}

function shown(register: Register, bytes: Buffer): Json {
  const value = decoder({ ...register, none: [] })(bytes, 0)
  return Number.isNaN(value) ? null : (register.values?.[String(value)] ?? value)
}
