import t from 'tap'
import { parts } from '../../core/parts.ts'
import {
  bytes,
  duration,
  integer,
  list,
  nearest,
  number,
  object,
  oneOf,
  optional,
  Place,
  record,
  refined,
  type Shape,
  scalar,
  size,
  text,
} from '../../core/shape.ts'

function problems<T>(shape: Shape<T>, raw: unknown): string[] {
  const place = new Place()
  shape.read(raw, place)
  return place.problems.map(p => `${p.path.join('.')}: ${p.message}`)
}

function value<T>(shape: Shape<T>, raw: unknown): T {
  const place = new Place()
  const read = shape.read(raw, place)
  if (place.problems.length > 0) throw new Error(place.problems[0]!.message)
  return read
}

t.test('durations and sizes are read in every unit', async t => {
  const ms = ['250ms', '10s', '1.5m', '2h', '7d'].map(raw => value(duration(), raw))
  t.strictSame(ms, [250, 10_000, 90_000, 7_200_000, 604_800_000])
  const sizes = ['7B', '512KiB', '64MiB', '2GiB', '1TiB'].map(raw => value(bytes, raw))
  t.strictSame(sizes, [7, 524_288, 67_108_864, 2_147_483_648, 1_099_511_627_776])
})

t.test('a wrong unit, a missing unit and a value out of bounds are told with what would be right', async t => {
  t.match(problems(duration(), '10 sec'), [/expected a duration such as 10s .*, got "10 sec"/])
  t.match(problems(duration(), 10), [/expected a duration such as 10s .*, got 10/])
  t.match(problems(duration(100), '10ms'), [/from 100ms to 3650d/])
  t.match(problems(bytes, '10MB'), [/expected a size such as 64MiB/])
  t.match(problems(size(65_536), '1KiB'), [/at least 64KiB/])
  t.match(problems(integer(1, 9), 9.5), [/a whole number from 1 to 9, got 9.5/])
  t.match(problems(number, Number.NaN), [/expected a number/])
})

t.test('every problem of a map is found in one reading, with its path', async t => {
  const shape = object({ a: integer(0, 9), b: optional(oneOf(['x', 'y']), 'x'), c: list(text) })
  t.strictSame(problems(shape, { a: 'q', b: 'z', c: ['ok', 3], bb: 1 }), [
    'bb: unknown key bb; did you mean b?',
    'a: expected a whole number from 0 to 9, got "q"',
    'b: expected one of x, y, got "z"',
    'c.1: expected a text, got 3',
  ])
})

t.test('an unknown key names the nearest known key, or all where none is near', async t => {
  const shape = object({ interval: optional(text), exclude: optional(text) })
  t.strictSame(problems(shape, { intervall: 'x' }), ['intervall: unknown key intervall; did you mean interval?'])
  t.strictSame(problems(shape, { zzz: 1 }), ['zzz: unknown key zzz; known keys: interval, exclude'])
  t.equal(nearest('constructor', ['name']), undefined)
})

t.test('keys of the prototype are unknown keys like any other', async t => {
  t.match(problems(object({ a: optional(text) }), JSON.parse('{"__proto__": 1}')), [/unknown key __proto__/])
  t.match(problems(object({ a: optional(text) }), { constructor: 1 }), [/unknown key constructor/])
})

t.test('a secret written where a file belongs is refused without repeating it', async t => {
  const shape = object({ password_file: optional(text) })
  const said = problems(shape, { password: 'hunter2' })
  t.match(said, [/write password_file:/])
  t.notMatch(said.join(), /hunter2/)
})

t.test('a message never shows the password in a URL', async t => {
  t.notMatch(problems(integer(0, 1), 'mqtt://me:hunter2@broker').join(), /hunter2/)
})

t.test('a rule across parts is asked only where the parts are right', async t => {
  const shape = refined(object({ low: number, high: number }), (v, place) => {
    if (v.low > v.high) place.wrong('low is above high')
  })
  t.strictSame(problems(shape, { low: 2, high: 1 }), [': low is above high'])
  t.equal(problems(shape, { low: 2, high: 'x' }).length, 1)
})

t.test('attributes are texts, numbers and booleans', async t => {
  t.strictSame(value(record(scalar), { a: 'x', b: 1, c: false }), { a: 'x', b: 1, c: false })
  t.match(problems(record(scalar), { a: [1] }), [/a: expected a text, a number, true or false, got a list/])
})

const kinds = [
  { name: 'cpu', options: object({ interval: optional(duration(100), 10_000) }) },
  { name: 'modbus', options: object({ url: text }) },
]

t.test('a list of parts hands each its own options and names it by its type', async t => {
  t.strictSame(value(parts(kinds, 'source'), [{ type: 'cpu' }, { type: 'modbus', name: 'press-4', url: 'u' }]), [
    { type: 'cpu', name: 'cpu', options: { interval: 10_000 } },
    { type: 'modbus', name: 'press-4', options: { url: 'u' } },
  ])
})

t.test('mistakes in a list of parts name the part, the type and the key', async t => {
  const shape = parts(kinds, 'source')
  t.strictSame(problems(shape, [{ type: 'cpuu' }]), ['0.type: unknown source type cpuu; did you mean cpu?'])
  t.strictSame(problems(shape, [{ type: 'zzzzzz' }]), ['0.type: unknown source type; known types: cpu, modbus'])
  t.strictSame(problems(shape, [{ name: 'x' }]), ['0: each source needs a type, one of cpu, modbus'])
  t.strictSame(problems(shape, ['cpu']), ['0: each source is a map with type and its options'])
  t.match(problems(shape, [{ type: 'cpu', name: 'a b' }]), [/0.name: expected a name/])
  t.strictSame(problems(shape, [{ type: 'cpu', nam: 'x' }]), ['0.nam: unknown key nam; did you mean name?'])
})

t.test('two parts with one name are a problem that knows the first', async t => {
  const place = new Place()
  parts(kinds, 'source').read([{ type: 'cpu' }, { type: 'modbus', name: 'cpu', url: 'u' }, { type: 'cpu' }], place)
  t.match(place.problems, [
    { path: [1, 'name'], first: [0] },
    { path: [2], first: [0] },
  ])
})
