import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { Base, mostBase, openFrame } from '../../core/base.ts'
import { type Random, seeded } from '../random.ts'
import { time as noon, reading } from './readings.ts'

const base = reading(0)
const lastTime = noon
const seq = 3

t.test('what is compressed after a base can be opened after the same base, at any time and in any order', async t => {
  const random = seeded(t)
  const [here, there] = [1, 2].map(() => new Base({ seq, lastTime }, base)) as [Base, Base]
  t.equal(here.size, base.length)
  const sent = Array.from({ length: 50 }, () => {
    const n = random.below(1000)
    const bytes = reading(n, { random })
    return { bytes, lastTime: noon + 10_000 * n, payload: here.compress(bytes, noon + 10_000 * n) }
  })
  for (const { bytes, lastTime, payload } of sent.toSorted(() => random() - 0.5))
    t.ok(there.open(payload, lastTime).equals(bytes), `${lastTime}`)
})

t.test(
  'a reading after another one takes a seventh of what it takes alone, and half is owed to the time put in',
  async t => {
    const bytes = reading(1)
    const alone = zstdCompressSync(bytes).length
    const after = new Base({ seq, lastTime }, base)
    const untimed = after.compress(bytes, lastTime).length
    const timed = after.compress(bytes, noon + 10_000).length
    t.comment(`${alone} alone, ${untimed} after a base of another time, ${timed} with its time put in`)
    t.ok(timed * 7 < alone)
    t.ok(timed * 2 < untimed)
  },
)

t.test('it is as docs/wire.md says: zstd with the base as its dictionary, the time put in', async t => {
  const bytes = reading(6)
  const payload = new Base({ seq, lastTime }, base).compress(bytes, noon + 60_000)
  const from = (ms: number): string => fixed64(ms).toString('latin1')
  const dictionary = Buffer.from(
    base.toString('latin1').replaceAll(from(noon), () => from(noon + 60_000)),
    'latin1',
  )
  t.ok(zstdDecompressSync(payload, { dictionary }).equals(bytes))
})

function fixed64(ms: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(ms) * 1_000_000n)
  return bytes
}

t.test('another base, another time or no base at all is found out', async t => {
  const made = new Base({ seq, lastTime }, base)
  const payload = made.compress(reading(5), noon + 50_000)
  t.throws(() => made.open(payload, noon + 50_001), 'another time')
  t.throws(() => openFrame(payload), 'no base')
  const random = seeded(t)
  const opened = Array.from({ length: 100 }, () => {
    const other = flipped(base, random)
    return attempt(() => new Base({ seq, lastTime }, other).open(payload, noon + 50_000))
  })
  // Where the bit is of no use to this payload, the same comes out.
  t.strictSame(
    opened.filter(bytes => bytes?.equals(reading(5)) === false),
    [],
  )
  t.ok(opened.includes(undefined))
})

t.test('damage of any kind is an error, never other bytes', async t => {
  const random = seeded(t)
  const made = new Base({ seq, lastTime }, base)
  const whole = made.compress(reading(1), noon + 10_000)
  const open = (payload: Buffer) => attempt(() => made.open(payload, noon + 10_000))
  const opened = Array.from({ length: 1000 }, () => {
    const cut = whole.subarray(0, random.below(whole.length))
    const junk = Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)))
    return [open(flipped(whole, random)), open(cut), open(junk)]
  }).flat()
  t.strictSame(
    opened.filter(bytes => bytes?.equals(reading(1)) === false),
    [],
  )
  t.ok(opened.filter(bytes => bytes === undefined).length > 2900)
})

function flipped(bytes: Buffer, random: Random): Buffer {
  const other = Buffer.from(bytes)
  other[random.below(other.length)]! ^= 1 << random.below(8)
  return other
}

function attempt(open: () => Buffer): Buffer | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}

t.test('more than a base may hold, and more than one frame, is an error', async t => {
  const made = new Base({ seq, lastTime }, base)
  const most = Buffer.alloc(mostBase.opened, 'ab')
  const bomb = Buffer.alloc(64 * 1024 ** 2)
  t.equal(made.open(made.compress(most, noon), noon).length, most.length)
  for (const large of [Buffer.alloc(mostBase.opened + 1), bomb]) {
    t.throws(() => made.open(made.compress(large, noon), noon), { code: 'ERR_BUFFER_TOO_LARGE' })
    t.throws(() => openFrame(zstdCompressSync(large)), { code: 'ERR_BUFFER_TOO_LARGE' })
  }
  const frame = zstdCompressSync(base)
  t.throws(() => openFrame(Buffer.concat([frame, frame])), /more than one zstd frame/)
  t.throws(() => openFrame(Buffer.concat([frame, Buffer.from([0])])), /more than one zstd frame/)
})

t.test('a base that holds its time nowhere, or times of any kind, does no harm', async t => {
  for (const lastTime of [0, 1, 12345, Number.MAX_SAFE_INTEGER]) {
    const made = new Base({ seq, lastTime }, base)
    for (const time of [0, noon, Number.MAX_SAFE_INTEGER])
      t.ok(made.open(made.compress(base, time), time).equals(base), `${lastTime}, ${time}`)
  }
  const zeros = new Base({ seq, lastTime: 0 }, Buffer.alloc(1001))
  t.ok(zeros.open(zeros.compress(base, noon), noon).equals(base), 'a time in every place')
  const empty = new Base({ seq, lastTime }, Buffer.alloc(0))
  t.ok(empty.open(empty.compress(base, noon), noon).equals(base), 'an empty base')
})
