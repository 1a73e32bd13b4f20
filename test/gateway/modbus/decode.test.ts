import t from 'tap'
import { decoder, decodeText } from '../../../gateway/modbus/decode.ts'
import type { Register } from '../../../gateway/modbus/registers.ts'
import { orders, type ValueType } from '../../../gateway/modbus/value-types.ts'
import { base } from './register.ts'

const decode = (register: Register, bytes: Buffer, at: number): number => decoder(register)(bytes, at)

/** Bytes, highest first, as a device with these orders would send them. */
function sent(bytes: readonly number[], r: Pick<Register, 'byte_order' | 'word_order'>): Buffer {
  const words = Array.from({ length: bytes.length / 2 }, (_, n) => bytes.slice(n * 2, n * 2 + 2))
  const turned = words.map(w => (r.byte_order === 'big' ? w : w.toReversed()))
  return Buffer.from((r.word_order === 'big' ? turned : turned.toReversed()).flat())
}

const float = Buffer.alloc(4)
float.writeFloatBE(-1234.5)
const double = Buffer.alloc(8)
double.writeDoubleBE(-1.25e-200)
const long: readonly [ValueType, readonly number[], number][] = [
  ['u32', [0xfe, 0xdc, 0xba, 0x98], 0xfedcba98],
  ['i32', [0xfe, 0xdc, 0xba, 0x98], 0xfedcba98 - 2 ** 32],
  ['f32', [...float], -1234.5],
  ['u64', [0, 0x1f, 0xff, 0xff, 0xfe, 0xdc, 0xba, 0x98], 0x1ffffffedcba98],
  ['i64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], -2],
  ['i64', [0xff, 0xe0, 0, 0, 0, 0, 0, 1], -(2 ** 53) + 1],
  ['f64', [...double], -1.25e-200],
  ['bcd32', [0x12, 0x34, 0x56, 0x78], 12_345_678],
  ['bcd64', [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56], 1_234_567_890_123_456],
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
  t.equal(decode({ ...base, type: 'bcd16' }, bytes, 2), 1234)
})

t.test('a whole number beyond 2^53 becomes the nearest that a double holds', async t => {
  const register: Register = { ...base, type: 'u64' }
  t.equal(decode(register, Buffer.from('ffffffffffffffff', 'hex'), 0), 2 ** 64)
  t.equal(decode(register, Buffer.from('0020000000000001', 'hex'), 0), 2 ** 53)
})

t.test('bits are counted from the lowest of the first byte', async t => {
  const coil: Register = { ...base, table: 'coil', type: 'bool' }
  const read = Array.from({ length: 10 }, (_, n) => decode(coil, Buffer.from([0b1000_0010, 0b10]), n))
  t.strictSame(read, [0, 1, 0, 0, 0, 0, 0, 1, 0, 1])
})

t.test('a bit and a range of bits are taken from the value, whatever its byte order', async t => {
  const word = Buffer.from([0b1010_0000, 0b0000_0110])
  t.equal(decode({ ...base, bits: [1, 1] }, word, 0), 1)
  t.equal(decode({ ...base, bits: [0, 0] }, word, 0), 0)
  t.equal(decode({ ...base, bits: [13, 15] }, word, 0), 0b101)
  t.equal(decode({ ...base, bits: [13, 15], byte_order: 'little' }, Buffer.from(word.toReversed()), 0), 0b101)
  t.equal(decode({ ...base, type: 'u32', bits: [31, 31] }, Buffer.from([0x80, 0, 0, 0]), 0), 1)
})

t.test('scale and offset apply, and a scale of a tenth makes no rounding errors', async t => {
  t.equal(decode({ ...base, scale: 0.5, offset: -40 }, Buffer.from([0, 200]), 0), 60)
  t.equal(decode({ ...base, scale: 0.1 }, Buffer.from([0, 217]), 0), 21.7)
  t.equal(decode({ ...base, scale: -0.1 }, Buffer.from([0, 217]), 0), -21.7)
  t.equal(decode({ ...base, scale: 2.5 }, Buffer.from([0, 3]), 0), 7.5)
  t.equal(decode({ ...base, scale: 0.3 }, Buffer.from([0, 10]), 0), 3)
})

t.test('a power of ten from another register applies exactly, and without one there is no value', async t => {
  const bytes = Buffer.from([0x09, 0x1f])
  for (const [exponent, wanted] of [
    [-1, 233.5],
    [0, 2335],
    [2, 233_500],
    [-10, 2.335e-7],
    [Number.NaN, Number.NaN],
  ] as const)
    t.same(decoder(base, { exponent })(bytes, 0), wanted)
})

t.test('a float that is no number, a digit that is none and a number that means none make no value', async t => {
  const f: Register = { ...base, type: 'f32' }
  for (const bytes of ['7fc00000', 'ff800000', '7f800001'])
    t.ok(Number.isNaN(decode(f, Buffer.from(bytes, 'hex'), 0)), bytes)
  t.ok(Number.isNaN(decode({ ...base, type: 'f64' }, Buffer.from('7ff8000000000000', 'hex'), 0)))
  t.ok(Number.isNaN(decode({ ...base, type: 'bcd16' }, Buffer.from([0x12, 0x3a]), 0)))
  const none = (type: ValueType, value: number, hex: string): boolean =>
    Number.isNaN(decode({ ...base, type, none: [value] }, Buffer.from(hex, 'hex'), 0))
  t.ok(none('u16', 0xffff, 'ffff'))
  t.ok(none('i16', 0x8000, '8000'), 'written as the manual has it')
  t.ok(none('i16', -32_768, '8000'), 'written as it reads')
  t.ok(none('i32', 0x80000000, '80000000'))
  t.ok(none('u64', 2 ** 64 - 1, 'ffffffffffffffff'))
  t.ok(none('f32', 3.4e38, '7f7fc99e'))
  t.notOk(none('u16', 0xffff, 'fffe'))
})

t.test('a text ends at its first NUL, in either byte order', async t => {
  const text = (hex: string, byte_order: 'big' | 'little' = 'big'): string =>
    decodeText({ byte_order, length: hex.length / 4 }, Buffer.from(hex, 'hex'), 0)
  t.equal(text('41434d4520000000'), 'ACME')
  t.equal(text('43414d45', 'little'), 'ACEM')
  t.equal(text('c3a4410a'), 'äA')
  t.equal(text('00000000'), '')
})
