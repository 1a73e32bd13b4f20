import t from 'tap'
import { JsonColumns } from '../../../collector/api/json-columns.ts'

/** Each value as a column of its own, so that none takes the others down the slow road. */
function written(values: readonly number[], as: 'exact' | 'rounded'): (number | null)[] {
  const json = new JsonColumns(4)
  json.text('[')
  for (const [n, value] of values.entries()) {
    if (n > 0) json.text(',')
    json.numbers([value], as)
  }
  json.text(']')
  return JSON.parse(json.finish().toString()).flat()
}

t.test('a column keeps its order, whatever its values need', async t => {
  const json = new JsonColumns(4)
  json.numbers([1, 0.1 + 0.2, Number.NaN, 0.25], 'exact')
  t.equal(json.finish().toString(), '[1,0.30000000000000004,null,0.25]')
})

const special = [
  0,
  1,
  -1,
  9,
  10,
  99_999_999,
  100_000_000,
  100_000_001,
  1e15,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  1.7e308,
  -1.7e308,
  5e-324,
  2.2250738585072014e-308,
  0.1,
  0.000001,
  1e-7,
  1.000001,
  123456.789012,
  9007199254.740992,
  0.1 + 0.2,
  1 / 3,
  -1 / 3,
  1e21,
  1e-4,
  0.01,
  0.05,
  999_999_999.5,
  4294967295,
  1700000000123,
  0.000_05,
]

t.test('exact columns parse to the very same doubles', async t => {
  t.strictSame(written(special, 'exact'), special)
})

t.test('rounded columns keep nine significant digits', async t => {
  for (const [n, value] of written(special, 'rounded').entries()) {
    t.ok(Math.abs(value! - special[n]!) <= Math.abs(special[n]!) * 1e-8, `${special[n]} was written as ${value}`)
  }
})

t.test('what is not a number is null, and an empty column an empty array', async t => {
  t.strictSame(written([Number.NaN, Number.POSITIVE_INFINITY, -0, 2], 'exact'), [null, null, 0, 2])
  t.strictSame(written([Number.NaN, Number.NEGATIVE_INFINITY], 'rounded'), [null, null])
  const json = new JsonColumns(4)
  json.numbers([], 'exact')
  t.equal(json.finish().toString(), '[]')
})

t.test('random doubles of every size come back', async t => {
  const seed = Number(process.env.FIELDLINE_SEED ?? Date.now() % 1e6)
  t.comment(`FIELDLINE_SEED=${seed}`)
  const values = randoms(seed, 20_000)
  t.strictSame(written(values, 'exact'), values)
  const off = written(values, 'rounded').findIndex((v, n) => Math.abs(v! - values[n]!) > Math.abs(values[n]!) * 1e-8)
  t.equal(off, -1, `${values[off]} was not rounded to nine digits`)
})

/** Integers, decimals and noise from 1e-12 to 1e18, by a small generator (mulberry32). */
function randoms(seed: number, count: number): number[] {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
  return Array.from({ length: count }, () => {
    const noise = (next() - 0.5) * 10 ** Math.floor(next() * 30 - 12)
    const kind = next()
    if (kind < 0.3) return Math.trunc(noise) + 0
    return kind < 0.6 ? Number(noise.toFixed(Math.floor(next() * 7))) + 0 : noise
  })
}
