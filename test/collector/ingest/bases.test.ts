import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { Bases as EdgeBases } from '../../../agent/uplinks/bases.ts'
import { Bases } from '../../../collector/ingest/bases.ts'
import { Base, openFrame } from '../../../core/base.ts'
import { decodeEnvelope, type Envelope, encodeEnvelope, seal } from '../../../core/envelope.ts'
import { time as noon, reading } from '../../core/readings.ts'
import { seeded } from '../../random.ts'
import { envelope } from './envelopes.ts'

function whole(seq: number, more: Partial<Envelope> = {}): Envelope {
  const lastTime = noon + 10_000 * seq
  return envelope(seq, { firstTime: lastTime, lastTime, payload: zstdCompressSync(reading(seq)), ...more })
}

function asking(seq: number, more: Partial<Envelope> = {}): Envelope {
  return { ...whole(seq, more), base: seq }
}

/** As an edge sends it that has `base` kept. */
function after(base: Envelope, seq: number): Envelope {
  const e = { ...whole(seq, { node: base.node, stream: base.stream }), base: base.seq }
  const payload = new Base(base, openFrame(base.payload)).compress(reading(seq), e.lastTime)
  return { ...e, payload, crc: seal({ ...e }, payload) }
}

t.test('an envelope after a base that is kept becomes whole, as if it had been sent so', async t => {
  const bases = new Bases()
  t.strictSame(bases.open(asking(1)), asking(1))
  for (const seq of [2, 3, 9]) {
    const opened = bases.open(after(whole(1), seq))!
    t.ok(zstdDecompressSync(opened.payload).equals(reading(seq)))
    t.strictSame({ ...opened, payload: 0, crc: 0 }, { ...whole(seq), payload: 0, crc: 0 })
    t.equal(decodeEnvelope(encodeEnvelope(opened)).base, undefined, 'its seal is that of a whole one')
  }
})

t.test('only what asked for it is kept, and only the last one of a stream', async t => {
  const bases = new Bases()
  bases.open(whole(1))
  t.equal(bases.holds(whole(1)), false)
  t.equal(bases.open(after(whole(1), 2)), undefined)
  for (const seq of [3, 4]) bases.open(asking(seq))
  t.strictSame([bases.holds(asking(3)), bases.holds(asking(4))], [false, true])
  t.equal(bases.open(after(whole(3), 5)), undefined)
  const { firstTime, lastTime, payload } = whole(3)
  bases.open(asking(4, { firstTime, lastTime, payload }))
  t.equal(bases.open(after(whole(3), 5)), undefined, 'nor one that holds the same')
  bases.open(asking(4))
  t.ok(bases.open(after(whole(4), 5)))
})

t.test('a base of another node or stream, or another one under the same seq, serves nobody', async t => {
  const bases = new Bases()
  bases.open(asking(1))
  t.equal(bases.open(after(whole(1, { node: 'press-2' }), 2)), undefined)
  t.equal(bases.open(after(whole(1, { stream: 'spool00001.metrics.2' }), 2)), undefined)
  bases.open(asking(1, { payload: zstdCompressSync(reading(50)) }))
  t.equal(bases.open(after(whole(1), 2)), undefined)
})

t.test('what is too large or no zstd is kept by nobody or serves nobody', async t => {
  const bases = new Bases()
  bases.open(asking(1, { payload: Buffer.alloc(33_000) }))
  t.equal(bases.holds(asking(1)), false)
  for (const payload of [Buffer.from('no zstd'), zstdCompressSync(Buffer.alloc(64 * 1024 ** 2))]) {
    bases.open(asking(1, { payload }))
    t.equal(bases.open(after(whole(1), 2)), undefined)
  }
})

t.test('damaged payloads after a base are never opened into other bytes', async t => {
  const random = seeded(t)
  const bases = new Bases()
  bases.open(asking(1))
  const good = after(whole(1), 2)
  const opened = Array.from({ length: 500 }, () => {
    const payload = Buffer.from(good.payload)
    payload[random.below(payload.length)]! ^= 1 << random.below(8)
    return bases.open({ ...good, payload })
  })
  const other = opened.filter(e => e !== undefined && !zstdDecompressSync(e.payload).equals(reading(2)))
  t.strictSame(other, [])
  t.ok(opened.includes(undefined))
})

t.test('memory is bounded: by streams of a node and by bytes, where what is idle gives way', async t => {
  let now = 0
  const size = whole(1).payload.length
  const bases = new Bases({ streams: 2, bytes: 4 * size, idle: 1000 }, () => now)
  const of = (node: string, stream = 's'): Envelope => asking(1, { node, stream, payload: whole(1).payload })
  const held = (...all: Envelope[]): boolean[] => all.map(e => bases.holds(e))
  for (const stream of ['s1', 's2', 's3']) bases.open(of('a', stream))
  t.strictSame(held(of('a', 's1'), of('a', 's2'), of('a', 's3')), [false, true, true])
  for (const node of ['b', 'c', 'd']) bases.open(of(node))
  t.strictSame(held(of('b'), of('c'), of('d')), [true, true, false], 'full')
  now = 2000
  bases.open(of('d'))
  t.strictSame(held(of('a', 's2'), of('a', 's3'), of('d')), [false, true, true])
})

t.test(
  'edge and collector together: whatever gets lost, forgotten or is sent again, what arrives is what was read',
  async t => {
    const random = seeded(t)
    const edge = new EdgeBases()
    let collector = new Bases()
    const counts = { whole: 0, after: 0, unknown: 0 }
    const other: number[] = []
    for (let seq = 1; seq <= 600; ) {
      if (random() < 0.02) collector = new Bases()
      const sent = edge.shorten(
        whole(seq, { payload: zstdCompressSync(reading(seq, { count: 50 + random.below(150) })) }),
      )
      if (random() < 0.05) continue
      const arrived = collector.open(decodeEnvelope(encodeEnvelope(sent)))
      if (arrived === undefined) {
        counts.unknown++
        if (random() < 0.9) edge.heard({ stream: sent.stream, watermark: 0, base: 0 })
        continue
      }
      counts[sent.base === seq ? 'whole' : 'after']++
      if (!isReading(arrived, seq)) other.push(seq)
      if (random() < 0.9) {
        const { stream } = sent
        edge.heard({ stream, watermark: seq, ...(collector.holds(sent) && { base: seq }) })
        seq++
      }
    }
    t.comment(counts)
    t.strictSame(other, [])
    t.ok(counts.after > counts.whole && counts.unknown > 0)
  },
)

/** Of any number of series: their times and values are those of this one. */
function isReading({ payload }: Envelope, seq: number): boolean {
  const bytes = zstdDecompressSync(payload)
  return Array.from({ length: 151 }, (_, n) => n + 50).some(count => bytes.equals(reading(seq, { count })))
}
