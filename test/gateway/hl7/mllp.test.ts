import t from 'tap'
import { encode } from '../../../gateway/hl7/charset.ts'
import { type Frame, Framer, framed } from '../../../gateway/hl7/mllp.ts'
import { type Random, seeded } from '../../random.ts'

const [VT, FS, CR] = ['\x0b', '\x1c', '\r']
const message = (n: number): string => `MSH|^~\\&|A|B|||1||ORU^R01|${n}|P|2.6\rOBX|1|NM|x||${n}\r`

function frames(framer: Framer, ...chunks: readonly (string | Buffer)[]): string[] {
  return chunks.flatMap(chunk => [...framer.push(Buffer.from(chunk))].map(textOf))
}

function textOf({ bytes, tooLarge }: Frame): string {
  return `${tooLarge ? 'too large: ' : ''}${bytes.toString()}`
}

t.test('a message comes out as it went in, however the bytes are cut', async t => {
  const random = seeded(t)
  const sent = Array.from({ length: 20 }, (_, n) => message(n))
  const stream = Buffer.concat(sent.map(one => framed(Buffer.from(one))))
  for (let round = 0; round < 200; round++) {
    const framer = new Framer(10_000)
    t.strictSame(frames(framer, ...cut(random, stream)), sent)
    t.strictSame([framer.noise, framer.cut, framer.isInside], [0, 0, false])
  }
})

function cut(random: Random, stream: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < stream.length; ) {
    const length = 1 + random.below(random() < 0.5 ? 3 : 300)
    chunks.push(stream.subarray(at, at + length))
    at += length
  }
  return chunks
}

const [a, b, c] = [message(1), message(2), message(3)]

t.test('the CR behind FS may be missing, or be a line feed', async t => {
  t.strictSame(frames(new Framer(1000), `${VT}${a}${FS}${VT}${b}${FS}\n${VT}${c}${FS}\r\n`), [a, b, c])
})

t.test('bytes between frames are passed over and counted', async t => {
  const framer = new Framer(1000)
  t.strictSame(frames(framer, `ping${VT}${a}${FS}${CR}\0\0${FS}${VT}${b}${FS}${CR}bye`), [a, b])
  t.equal(framer.noise, 10)
})

t.test('a frame without FS ends where the next one begins', async t => {
  const framer = new Framer(1000)
  t.strictSame(frames(framer, `${VT}${a}${VT}${b}${FS}${CR}${VT}${c}`), [a, b])
  t.ok(framer.isInside)
  t.equal(framer.finish()?.bytes.toString(), c)
  t.notOk(framer.isInside)
})

t.test('a frame that was cut off is dropped, and the next one is whole', async t => {
  const framer = new Framer(1000)
  t.strictSame(frames(framer, `${VT}${a.slice(0, 40)}${VT}`, 'M', 'S', b.slice(2), `${FS}${CR}`), [b])
  t.equal(framer.cut, 1)
  t.strictSame(frames(framer, `${VT}${a.slice(0, 40)}`), [])
  t.equal(framer.finish(), undefined)
  t.equal(framer.cut, 2)
  t.strictSame(frames(framer, `${VT}${c}${FS}`), [c])
})

t.test('a vertical tab within a text is text', async t => {
  const odd = a.replace('|x|', '|one\x0btwo|')
  const stream = `${VT}${odd}${FS}${CR}`
  t.strictSame(frames(new Framer(1000), stream), [odd])
  t.strictSame(frames(new Framer(1000), ...stream), [odd])
})

t.test('empty frames are nothing', async t => {
  t.strictSame(frames(new Framer(1000), `${VT}${FS}${CR}${VT}${VT}${VT}${a}${FS}${CR}`), [a])
})

t.test('of a message that is too large only the beginning is kept, and the next one is whole', async t => {
  const large = message(9) + 'x'.repeat(200_000)
  for (const size of [100, 5000, 300_000]) {
    const framer = new Framer(1000)
    const stream = Buffer.from(`${VT}${large}${FS}${CR}${VT}${a}${FS}${CR}`)
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, n) =>
      stream.subarray(n * size, (n + 1) * size),
    )
    const [first, second, ...rest] = frames(framer, ...chunks)
    t.ok(first?.startsWith(`too large: ${message(9)}`) && first.length <= 5000, `in chunks of ${size}`)
    t.equal(second, a)
    t.strictSame(rest, [])
  }
})

t.test('UTF-16 may have the bytes of VT and FS within its characters', async t => {
  const header = 'MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.6||||||UNICODE UTF-16'
  for (const [order, odd] of [
    ['utf-16le', '\u1c0d\u0b1c\u0d0b'],
    ['utf-16be', '\u0d1c\u1c0b\u0b0d'],
  ] as const) {
    const bytes = encode(`${header}\rPID|||1||${odd}\r`, order)
    const framer = new Framer(1000)
    const stream = Buffer.concat([framed(bytes), framed(Buffer.from(a))])
    const found = [...stream].flatMap(byte => [...framer.push(Buffer.of(byte))])
    t.strictSame(
      found.map(frame => frame.bytes.toString('hex')),
      [bytes, Buffer.from(a)].map(one => one.toString('hex')),
      order,
    )
  }
})
