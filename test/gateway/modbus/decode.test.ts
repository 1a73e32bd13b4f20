import t from 'tap'
import { decode } from '../../../gateway/modbus/decode.ts'
import { orders, type Register, type ValueType } from '../../../gateway/modbus/registers.ts'
import { base } from './register.ts'

/** 0x0A0B0C0D as a device with these orders would send it. */
function sent(bytes: readonly number[], r: Pick<Register, 'byte_order' | 'word_order'>): Buffer {
  const words = [bytes.slice(0, 2), bytes.slice(2)].map(w => (r.byte_order === 'big' ? w : w.toReversed()))
  return Buffer.from((r.word_order === 'big' ? words : words.toReversed()).flat())
}

const float = Buffer.alloc(4)
float.writeFloatBE(-1234.5)
const long: readonly [ValueType, readonly number[], number][] = [
  ['u32', [0xfe, 0xdc, 0xba, 0x98], 0xfedcba98],
  ['i32', [0xfe, 0xdc, 0xba, 0x98], 0xfedcba98 - 2 ** 32],
  ['f32', [...float], -1234.5],
]

t.test('every long type reads right in all four orders', async t => {
  for (const [type, bytes, value] of long) {
    for (const byte_order of orders) {
      for (const word_order of orders) {
        const register = { ...base, type, byte_order, word_order }
        t.equal(decode(register, sent(bytes, register), 0), value, `${type} ${byte_order} bytes, ${word_order} words`)
      }
    }
  }
})

t.test('short types read right in both byte orders, wherever they stand in the block', async t => {
  const bytes = Buffer.from([0, 0, 0xff, 0xfe, 0x12, 0x34])
  t.equal(decode(base, bytes, 1), 0xfffe)
  t.equal(decode({ ...base, type: 'i16' }, bytes, 1), -2)
  t.equal(decode({ ...base, byte_order: 'little' }, bytes, 2), 0x3412)
})

t.test('bits are counted from the lowest of the first byte', async t => {
  const coil: Register = { ...base, table: 'coil', type: 'bool' }
  const read = Array.from({ length: 10 }, (_, n) => decode(coil, Buffer.from([0b1000_0010, 0b10]), n))
  t.strictSame(read, [0, 1, 0, 0, 0, 0, 0, 1, 0, 1])
})

t.test('scale and offset apply, and a float that is no number makes no value', async t => {
  t.equal(decode({ ...base, scale: 0.5, offset: -40 }, Buffer.from([0, 200]), 0), 60)
  const f: Register = { ...base, type: 'f32' }
  t.equal(decode(f, Buffer.from([0x7f, 0xc0, 0, 0]), 0), undefined)
  t.equal(decode(f, Buffer.from([0xff, 0x80, 0, 0]), 0), undefined)
})
