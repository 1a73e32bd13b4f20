import { zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { Fresh } from '../../../agent/fresh.ts'
import { Bases } from '../../../agent/uplinks/bases.ts'
import { Base } from '../../../core/base.ts'
import { type Envelope, isAfterBase, seal } from '../../../core/envelope.ts'
import { time as noon, reading } from '../../core/readings.ts'
import { seeded } from '../../random.ts'

const stream = 'spool1.metrics.1-salt'

interface Options {
  readonly count?: number
  /** Seconds between two readings. */
  readonly pace?: number
  readonly encoding?: Envelope['encoding']
  readonly payload?: Uint8Array
}

/** The n-th reading, sealed as the spool gives it. */
function metrics(
  seq: number,
  { count = 200, pace = 10, encoding = 'otlp-metrics-zstd', payload }: Options = {},
): Envelope {
  const lastTime = noon + pace * 1000 * seq
  const header = { node: 'web-1', stream, seq, firstTime: lastTime, lastTime, samples: count, events: 0, encoding }
  const bytes = payload ?? zstdCompressSync(reading(seq, { count }))
  return { ...header, previous: seq - 1, payload: bytes, crc: seal(header, bytes) }
}

/** An edge whose first envelope is kept as base. */
function based(options: Options = {}): Bases {
  const bases = new Bases()
  bases.shorten(metrics(1, options))
  bases.heard({ stream, watermark: 1, base: 1 })
  return bases
}

t.test('nothing is shortened before a collector has said that it keeps a base', async t => {
  const bases = new Bases()
  for (let seq = 1; seq < 100; seq++) {
    const e = metrics(seq)
    t.strictSame(bases.shorten(e), { ...e, base: seq }, 'only the wish to be kept is added')
    bases.heard({ stream, watermark: seq })
  }
})

t.test('then those after it are compressed after it, sealed as they are sent', async t => {
  const bases = based()
  const base = new Base(metrics(1), reading(1))
  for (let seq = 2; seq < 30; seq++) {
    const e = metrics(seq)
    const short = bases.shorten(e)
    t.equal(short.base, 1)
    t.ok(short.payload.length * 4 < e.payload.length, `${short.payload.length} instead of ${e.payload.length}`)
    t.ok(base.open(short.payload, e.lastTime).equals(reading(seq)))
    t.equal(short.crc, seal(short, short.payload))
    t.strictSame({ ...short, payload: 0, crc: 0 }, { ...e, base: 1, payload: 0, crc: 0 })
  }
})

t.test('what goes again from before the base, and the base itself, travels whole', async t => {
  const bases = new Bases()
  for (const seq of [1, 2, 3]) bases.shorten(metrics(seq))
  bases.heard({ stream, watermark: 0, base: 3 })
  for (const seq of [1, 2, 3]) t.strictSame(bases.shorten(metrics(seq)), metrics(seq))
  t.equal(bases.shorten(metrics(4)).base, 3)
})

t.test('bytes that are at hand are not opened again', async t => {
  const fresh = new Fresh()
  const bases = new Bases(payload => fresh.get(payload))
  // Payloads that nobody can open show that they were not.
  for (const seq of [1, 2]) {
    const e = metrics(seq, { payload: Buffer.alloc(5000, seq) })
    fresh.put(Buffer.from(e.payload), reading(seq))
    const sent = bases.shorten(e)
    t.equal(sent.base, 1)
    if (seq === 2) t.ok(new Base(metrics(1), reading(1)).open(sent.payload, e.lastTime).equals(reading(2)))
    bases.heard({ stream, watermark: seq, ...(seq === 1 && { base: 1 }) })
  }
  t.ok(isAfterBase(bases.shorten(metrics(3))), 'what is not at hand is opened')
})

t.test('a receipt for another than the last that asked makes no base', async t => {
  const bases = new Bases()
  for (const seq of [1, 2]) bases.shorten(metrics(seq))
  bases.heard({ stream, watermark: 2, base: 1 })
  bases.heard({ stream: 'other', watermark: 2, base: 2 })
  t.notOk(isAfterBase(bases.shorten(metrics(3))))
})

t.test('where the collector has no base, what follows travels whole and asks again', async t => {
  const bases = based()
  t.ok(isAfterBase(bases.shorten(metrics(2))))
  bases.heard({ stream, watermark: 0, base: 0 })
  t.strictSame(bases.shorten(metrics(2)), { ...metrics(2), base: 2 })
  bases.heard({ stream, watermark: 2, base: 2 })
  t.equal(bases.shorten(metrics(3)).base, 2)
})

t.test('one in 65 travels whole at least, so that a listener can begin', async t => {
  const bases = based()
  const whole: number[] = []
  for (let seq = 2; seq < 200; seq++) {
    if (isAfterBase(bases.shorten(metrics(seq)))) continue
    whole.push(seq)
    bases.heard({ stream, watermark: seq, base: seq })
  }
  t.strictSame(whole, [65, 129, 193])
})

t.test('a base that is small beside what comes gives way at once, one that fits ill after a while', async t => {
  const small = based({ count: 20 })
  t.notOk(isAfterBase(small.shorten(metrics(2))))
  const other = based({ count: 110 })
  const whole = Array.from({ length: 12 }, (_, n) => n + 2).filter(seq => !isAfterBase(other.shorten(metrics(seq))))
  t.equal(whole[0], 9)
})

t.test('where no base fits well, new ones are tried ever more seldom', async t => {
  const bases = based()
  const random = seeded(t)
  const whole: number[] = []
  for (let seq = 2; seq < 300; seq++) {
    const noise = Buffer.from(Array.from({ length: 12_000 }, () => random.below(256)))
    if (isAfterBase(bases.shorten(metrics(seq, { payload: zstdCompressSync(noise) })))) continue
    whole.push(seq)
    bases.heard({ stream, watermark: seq, base: seq })
  }
  t.strictSame(whole, [9, 25, 57, 121, 129, 145, 177, 241, 249, 265, 297])
})

t.test('stragglers of a few values leave the base alone', async t => {
  const bases = based()
  for (let seq = 2; seq < 62; seq++) t.equal(bases.shorten(metrics(seq, { count: 10 })).base, 1)
  t.equal(bases.shorten(metrics(62)).base, 1)
})

t.test('events, large and unreadable payloads travel as they are', async t => {
  const bases = based()
  const large = zstdCompressSync(Buffer.alloc(200_000))
  for (const e of [
    metrics(2, { encoding: 'otlp-logs-zstd' }),
    metrics(3, { payload: Buffer.alloc(40_000, 1) }),
    metrics(4, { payload: large }),
    metrics(5, { payload: Buffer.from('no zstd') }),
    metrics(6, { payload: Buffer.alloc(0) }),
  ])
    t.strictSame(bases.shorten(e), e)
  t.equal(bases.shorten(metrics(7)).base, 1)
})

t.test('what cannot be opened makes no base', async t => {
  for (const payload of [Buffer.from('no zstd'), zstdCompressSync(Buffer.alloc(200_000))]) {
    const bases = based({ payload })
    t.strictSame(bases.shorten(metrics(2)), { ...metrics(2), base: 2 })
  }
})

t.test('fast readings are shortened only as far as their CPU time is bounded', async t => {
  const bases = based({ pace: 0.1 })
  let spent = 0
  for (let seq = 2; seq < 3000; seq++) {
    const e = metrics(seq, { pace: 0.1 })
    const short = bases.shorten(e)
    if (short.base === undefined) t.equal(short, e)
    else spent += e.payload.length
    if (short.base === seq) bases.heard({ stream, watermark: seq, base: seq })
  }
  t.ok(spent < 65_536 + 2048 * 300, `${spent} bytes within 300 s`)
  t.ok(spent > 2048 * 290)
})

t.test('two streams are followed at a time; a third takes the place of the one not used for longest', async t => {
  const bases = new Bases()
  const of = (stream: string, seq: number): Envelope => ({ ...metrics(seq), stream })
  const keep = (stream: string): void => {
    bases.shorten(of(stream, 1))
    bases.heard({ stream, watermark: 1, base: 1 })
  }
  keep('a')
  keep('b')
  t.equal(bases.shorten(of('a', 2)).base, 1)
  keep('c')
  t.equal(bases.shorten(of('a', 3)).base, 1)
  t.equal(bases.shorten(of('b', 2)).base, 2, 'asks anew')
})
