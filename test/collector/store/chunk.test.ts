import t from 'tap'
import { ChunkDecoder, ChunkEncoder } from '../../../collector/store/chunk.ts'
import { seeded } from '../../random.ts'

const encoder = new ChunkEncoder()
const decoder = new ChunkDecoder()

function pack(times: readonly number[], values: readonly number[]): Buffer {
  return Buffer.from(encoder.encode(Float64Array.from(times), Float64Array.from(values), 0, times.length))
}

function unpack(chunk: Uint8Array): { times: number[]; values: number[]; damaged: number } {
  const times: number[] = []
  const values: number[] = []
  const damaged = decoder.each(chunk, count => {
    times.push(...decoder.times.subarray(0, count))
    values.push(...decoder.values.subarray(0, count))
  })
  return { times, values, damaged }
}

const bits = (values: readonly number[]) => Buffer.from(Float64Array.from(values).buffer).toString('hex')
const seconds = (count: number) => Array.from({ length: count }, (_, n) => 1_764_000_000_000 + n * 1000)

t.test('every special double comes back bit for bit, alone and among others', async t => {
  const special = [0, -0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308]
  special.push(
    0.1,
    0.3 - 0.1,
    1 / 3,
    2 ** 53,
    2 ** 53 - 1,
    -(2 ** 52),
    2 ** 52 + 1,
    1e-7,
    123456.789012,
    1e21,
    4.35,
    -4.35,
  )
  for (const value of special) {
    t.equal(bits(unpack(pack([7], [value])).values), bits([value]), `${value} alone`)
    const mixed = [1, value, value, 2.5, value, -0]
    t.equal(bits(unpack(pack(seconds(6), mixed)).values), bits(mixed), `${value} among others`)
  }
})

t.test('random columns of many kinds come back bit for bit', async t => {
  const dice = seeded(t)
  const raw = new DataView(new ArrayBuffer(8))
  const anyDouble = () => {
    raw.setUint32(0, dice.below(2 ** 32))
    raw.setUint32(4, dice.below(2 ** 32))
    const value = raw.getFloat64(0)
    return Number.isFinite(value) ? value : 1
  }
  const kinds = [
    anyDouble,
    () => dice.below(3),
    () => (dice.below(2_000_000) - 1_000_000) / 10 ** dice.below(7),
    () => dice.below(2 ** 51) * (dice.below(2) * 2 - 1) * 4,
    () => 20 + dice.below(1000) / 7,
    () => (dice.below(4) === 0 ? anyDouble() : 42),
  ]
  const wrong: string[] = []
  for (let round = 0; round < 300; round++) {
    const count = 1 + dice.below(round % 10 === 0 ? 3000 : 50)
    const times: number[] = []
    let time = dice.below(2 ** 41)
    for (let n = 0; n < count; n++) {
      time += dice.below(5) === 0 ? dice.below(1e6) : 1000
      times.push(time)
    }
    const kind = kinds[dice.below(kinds.length)]!
    const values = times.map(kind)
    const back = unpack(pack(times, values))
    if (bits(back.times) !== bits(times) || bits(back.values) !== bits(values)) wrong.push(`round ${round}: ${kind}`)
  }
  t.same(wrong, [])
})

t.test('a counter above 2^53 and steps beyond 2^51 fall back to the bits', async t => {
  const values = [0, 2 ** 52, -(2 ** 52), 2 ** 60, 3]
  t.same(unpack(pack(seconds(5), values)).values, values)
})

t.test('regular times and a steady counter cost a few bytes however long', async t => {
  const times = seconds(1000)
  const chunk = pack(
    times,
    times.map((_, n) => n * 17),
  )
  t.ok(chunk.length < 40, `${chunk.length} bytes`)
})

t.test('any flipped bit costs its own block at most, and is counted', async t => {
  const dice = seeded(t)
  const times = seconds(5000)
  const values = times.map(() => dice.below(100_000) / 100)
  const chunk = pack(times, values)
  for (let round = 0; round < 60; round++) {
    const bad = Buffer.from(chunk)
    bad[dice.below(bad.length)]! ^= 1 << dice.below(8)
    const back = unpack(bad)
    t.equal(back.damaged, 1)
    t.ok(back.times.length >= 5000 - 1024 && back.times.length < 5000, `${back.times.length} samples left`)
    const whole = new Map(times.map((time, n) => [time, values[n]]))
    t.ok(back.times.every((time, n) => whole.get(time) === back.values[n]))
  }
})

t.test('a truncated or random chunk never throws and gives nothing false', async t => {
  const dice = seeded(t)
  const chunk = pack(seconds(100), seconds(100))
  for (let length = 0; length < chunk.length; length++) t.equal(unpack(chunk.subarray(0, length)).times.length, 0)
  for (let round = 0; round < 200; round++) {
    const junk = Buffer.from(Array.from({ length: 1 + dice.below(300) }, () => dice.below(256)))
    t.equal(unpack(junk).times.length, 0)
  }
})
