import t from 'tap'
import { decoder, rawDecoder } from '../../../gateway/modbus/decode.ts'
import { encodeRaw, masks, rawOf } from '../../../gateway/modbus/encode.ts'
import type { Register } from '../../../gateway/modbus/registers.ts'
import { orders, rangeOf, valueTypes, width } from '../../../gateway/modbus/value-types.ts'
import { type Random, seeded } from '../../random.ts'
import { base } from './register.ts'

const all = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE, names: undefined }
const numeric = valueTypes.filter(type => type !== 'text' && type !== 'bool')

/** Within what the type holds and a double can tell apart. */
function randomRaw(type: Register['type'], random: Random): number {
  const [least, most] = rangeOf(type) ?? []
  if (least === undefined || most === undefined) {
    const value = (random() - 0.5) * 10 ** (random.below(60) - 30)
    return type === 'f32' ? Math.fround(value) : value
  }
  const low = Math.max(least, Number.MIN_SAFE_INTEGER)
  const high = Math.min(most, Number.MAX_SAFE_INTEGER)
  return random.pick([low, high, Math.round(low + random() * (high - low)) + 0])
}

t.test('what is written reads as it was: all types, all orders, and back through any scale', async t => {
  const random = seeded(t)
  for (let round = 0; round < 20_000; round++) {
    const type = random.pick(numeric)
    const orderly = { type, byte_order: random.pick(orders), word_order: random.pick(orders) }
    const register: Register = { ...base, ...orderly, write: all }
    const raw = randomRaw(type, random)
    const bytes = encodeRaw(register, rawOf(register, raw))
    if (bytes.length !== width(register) * 2) t.fail(`${type}: ${bytes.length} bytes`)
    if (rawDecoder(register)(bytes, 0) !== raw) t.fail(`${JSON.stringify(orderly)} ${raw}: ${bytes.toString('hex')}`)
    // Of 64 bits a double has none to spare for the scaled digits.
    const scaled = { ...register, scale: random.pick([0.1, 0.01, 2, -0.5, 1000]), offset: random.pick([0, -40]) }
    if (width(register) < 4 && type !== 'f32' && rawOf(scaled, decoder(scaled)(bytes, 0)) !== raw)
      t.fail(`${JSON.stringify(orderly)} ${raw} by scale ${scaled.scale}`)
  }
})

t.test('a value beyond its limits, without limits or of the wrong kind is refused', async t => {
  const limited: Register = { ...base, name: 'speed', scale: 0.1, write: { min: 0, max: 50, names: undefined } }
  t.equal(rawOf(limited, 49.97), 500, 'the nearest the device can hold')
  t.throws(() => rawOf(limited, 50.1), { name: 'Refused', message: 'register speed takes 0 to 50, not 50.1' })
  t.throws(() => rawOf(limited, '12'), { name: 'Refused', message: 'register speed takes a number, not "12"' })
  t.throws(() => rawOf(limited, Number.NaN), { name: 'Refused' })
  t.throws(() => rawOf(base, 1), { name: 'Refused', message: /register r may not be written/ })
})

t.test('a type that cannot hold the value is refused, not cut off', async t => {
  const wide = (type: Register['type']): Register => ({ ...base, type, write: all })
  for (const [type, value] of [
    ['u16', 65_536],
    ['u16', -1],
    ['i16', 32_768],
    ['bcd16', 10_000],
    ['f32', 1e39],
    ['u64', 2 ** 53],
    ['i64', -(2 ** 60)],
  ] as const)
    t.throws(() => rawOf(wide(type), value), { name: 'Refused', message: /cannot/ }, `${type} ${value}`)
  t.equal(rawOf(wide('i16'), -32_768), -32_768)
  t.equal(encodeRaw(wide('i64'), -2).toString('hex'), 'fffffffffffffffe')
})

t.test('a named value is written by its name, and only by an allowed one', async t => {
  const values = { 0: 'stop', 1: 'run', 7: 'fault' }
  const register: Register = {
    ...base,
    name: 'mode',
    values,
    write: { min: undefined, max: undefined, names: ['stop', 'run'] },
  }
  t.equal(rawOf(register, 'run'), 1)
  t.throws(() => rawOf(register, 'fault'), {
    name: 'Refused',
    message: 'register mode takes one of stop, run, not "fault"',
  })
  t.throws(() => rawOf(register, 1), { name: 'Refused' })
})

t.test('a name whose number the register cannot hold is refused, and no other number written for it', async t => {
  const write = { min: undefined, max: undefined, names: ['high'] }
  const word: Register = { ...base, name: 'mode', values: { 70000: 'high' }, write }
  t.throws(() => rawOf(word, 'high'), { name: 'Refused', message: 'register mode: a u16 cannot hold 70000' })
  const part: Register = { ...base, name: 'gear', bits: [4, 6], values: { 9: 'high' }, write }
  t.throws(() => rawOf(part, 'high'), { name: 'Refused', message: 'register gear: bits 4 to 6 cannot hold 9' })
})

t.test('a mask changes its bits and no others, whatever was there', async t => {
  const random = seeded(t)
  for (let round = 0; round < 500; round++) {
    const low = random.below(16)
    const bits = [low, low + random.below(16 - low)] as const
    const register: Register = { ...base, bits, byte_order: random.pick(orders) }
    const raw = random.below(2 ** (bits[1] - bits[0] + 1))
    const { and, or } = masks(register, raw)
    const before = random.below(65_536)
    const word = Buffer.alloc(2)
    word.writeUInt16BE(((before & and) | (or & ~and)) & 0xffff)
    const old = Buffer.alloc(2)
    old.writeUInt16BE(before)
    const whole = decoder({ ...register, bits: undefined })
    const others = ~((2 ** (bits[1] - bits[0] + 1) - 1) << low)
    if (decoder(register)(word, 0) !== raw) t.fail(`bits ${bits}: not ${raw}`)
    if ((whole(word, 0) & others) !== (whole(old, 0) & others)) t.fail(`bits ${bits}: others changed`)
  }
})
