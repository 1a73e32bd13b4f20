import t from 'tap'
import type { Json } from '../../../core/model.ts'
import { type Asks, ModbusException, type Write } from '../../../gateway/modbus/pdu.ts'
import type { Register } from '../../../gateway/modbus/registers.ts'
import { writer } from '../../../gateway/modbus/write.ts'
import { fakeHost } from '../../agent/fake-host.ts'
import { base } from './register.ts'

/** A device with holding registers and coils in memory; `lacks` are the functions it does not know. */
function device(lacks: readonly number[] = []) {
  const words = new Uint16Array(100)
  const coils = new Uint8Array(100)
  const done: Write['function'][] = []
  const asks: Asks = {
    read: async ({ table, address, count }) => {
      if (table === 'coil') return Buffer.of(coils[address]!)
      const bytes = Buffer.alloc(count * 2)
      for (let n = 0; n < count; n++) bytes.writeUInt16BE(words[address + n]!, n * 2)
      return bytes
    },
    write: async request => {
      done.push(request.function)
      if (lacks.includes(request.function)) throw new ModbusException(1, 'writing')
      const { address } = request
      if (request.function === 5) coils[address] = Number(request.value)
      if (request.function === 6) words[address] = request.value
      if (request.function === 16)
        for (let n = 0; n < request.registers.length / 2; n++)
          words[address + n] = Buffer.from(request.registers).readUInt16BE(n * 2)
      if (request.function === 22) words[address] = (words[address]! & request.and) | (request.or & ~request.and)
      return Buffer.alloc(0)
    },
  }
  return { words, coils, done, asks }
}

const limits = { min: -1000, max: 1000, names: undefined }
const list: readonly Register[] = [
  { ...base, name: 'level', address: 1, scale: 0.1, write: limits },
  { ...base, name: 'total', address: 2, type: 'f32', word_order: 'little', write: limits },
  { ...base, name: 'lamp', table: 'coil', type: 'bool', address: 4, write: { min: 0, max: 1, names: undefined } },
  { ...base, name: 'gear', address: 5, bits: [4, 6], write: limits },
  {
    ...base,
    name: 'mode',
    address: 6,
    values: { 0: 'stop', 2: 'run' },
    write: { min: undefined, max: undefined, names: ['run', 'stop'] },
  },
  { ...base, name: 'shown', address: 7 },
]

const never = new AbortController().signal
const act = (asks: Asks) => {
  const write = writer(list, asks, fakeHost('/'))
  return (to: Json, value: Json) => write({ to, value }, never)
}

t.test('each kind of register is written by its function, and what is read back comes back', async t => {
  const { asks, words, coils, done } = device()
  const write = act(asks)
  t.equal(await write('level', 12.3), 12.3)
  t.equal(words[1], 123)
  t.equal(await write('total', -1.5), -1.5)
  t.strictSame([words[2], words[3]], [0, 0xbfc0])
  t.equal(await write('lamp', true), 1)
  t.equal(coils[4], 1)
  words[5] = 0xffff
  t.equal(await write('gear', 2), 2)
  t.equal(words[5], 0xffaf, 'the other bits stayed')
  t.equal(await write('mode', 'run'), 'run')
  t.equal(words[6], 2)
  t.strictSame(done, [6, 16, 5, 22, 6])
})

t.test('where the device does not know a function the next one does', async t => {
  const { asks, words, done } = device([6])
  t.equal(await act(asks)('level', 1), 1)
  t.strictSame(done, [6, 16])
  const other = device([22])
  other.words[5] = 0x0f0f
  t.equal(await act(other.asks)('gear', 7), 7)
  t.equal(other.words[5], 0x0f7f)
  t.strictSame(other.done, [22, 6])
  t.equal(words[1], 10)
})

t.test('what the limits, the configuration or the device forbid is Refused, and nothing else is written', async t => {
  const { asks, done } = device([5, 6, 16])
  const write = act(asks)
  await t.rejects(write('level', 1001), { name: 'Refused', message: /takes -1000 to 1000/ })
  await t.rejects(write('shown', 1), { name: 'Refused', message: /may not be written/ })
  await t.rejects(write('lamb', 1), { name: 'Refused', message: 'there is no register lamb; did you mean lamp?' })
  await t.rejects(write(7, 1), { name: 'Refused' })
  t.strictSame(done, [])
  await t.rejects(write('lamp', 1), { name: 'Refused', message: 'the device refuses to write register lamp' })
})

t.test('a device that has something else afterwards is an error that says both', async t => {
  const { asks } = device()
  const stubborn: Asks = { ...asks, write: async () => Buffer.alloc(0) }
  await t.rejects(act(stubborn)('level', 12.5), {
    name: 'Error',
    message: 'register level: 12.5 was written, 0 was read back',
  })
})

t.test('a device that takes a value over late is waited for', async t => {
  const { asks } = device()
  let looks = 0
  const late: Asks = { ...asks, read: async r => (++looks < 4 ? Buffer.alloc(2) : asks.read(r)) }
  t.equal(await act(late)('level', 5), 5)
})

t.test('a device that fails over it, a broken link and a failed look leave it unknown: no refusal', async t => {
  const { asks } = device()
  const failing = (error: Error): Asks => ({ ...asks, write: async () => Promise.reject(error) })
  for (const code of [4, 6, 8])
    await t.rejects(act(failing(new ModbusException(code, 'writing')))('level', 1), { name: 'ModbusException' })
  await t.rejects(act(failing(new Error('no answer')))('level', 1), { name: 'Error', message: 'no answer' })
  const mute: Asks = { ...asks, read: async () => Promise.reject(new Error('no answer')) }
  await t.rejects(act(mute)('level', 1), {
    name: 'Error',
    message: /was written, but could not be read back: no answer/,
  })
})

t.test('writes wait for each other, and one that fails holds up nobody', async t => {
  const { asks, words } = device()
  let under = 0
  const slow: Asks = {
    ...asks,
    write: async request => {
      t.equal(++under, 1)
      await new Promise(resolve => setImmediate(resolve))
      under--
      return asks.write(request)
    },
  }
  const write = act(slow)
  const all = await Promise.allSettled([write('level', 1), write('level', 9999), write('level', 3)])
  t.strictSame(
    all.map(r => r.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.equal(words[1], 30)
})
