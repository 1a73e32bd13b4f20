import t from 'tap'
import { dataIn, exceptionIn } from '../../../gateway/modbus/answer.ts'
import { type Framing, OutOfStep } from '../../../gateway/modbus/framing.ts'
import { Mbap } from '../../../gateway/modbus/mbap.ts'
import { encode, most, type Request } from '../../../gateway/modbus/pdu.ts'
import { crc16, Rtu } from '../../../gateway/modbus/rtu.ts'
import { tables } from '../../../gateway/modbus/value-types.ts'
import { type Random, seeded } from '../../random.ts'
import { rtuFrame, tcpFrame } from './lying-slave.ts'

/** Inputs a fuzz test gives to each decoder. */
const inputs = Number(process.env.FIELDLINE_FUZZ ?? 15_000)

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

t.test('requests are as the examples of the specification', async t => {
  // MODBUS Application Protocol V1.1b3, clauses 6.1 to 6.6, 6.11, 6.12, 6.16 and 6.17.
  const examples: readonly [Request, string][] = [
    [{ table: 'coil', address: 0x13, count: 0x13 }, '01 0013 0013'],
    [{ table: 'discrete-input', address: 0xc4, count: 0x16 }, '02 00c4 0016'],
    [{ table: 'holding-register', address: 0x6b, count: 3 }, '03 006b 0003'],
    [{ table: 'input-register', address: 8, count: 1 }, '04 0008 0001'],
    [{ function: 5, address: 0xac, value: true }, '05 00ac ff00'],
    [{ function: 6, address: 1, value: 3 }, '06 0001 0003'],
    [
      {
        function: 15,
        address: 0x13,
        values: [true, false, true, true, false, false, true, true, true, false],
      },
      '0f 0013 000a 02 cd01',
    ],
    [{ function: 16, address: 1, registers: hex('000a 0102') }, '10 0001 0002 04 000a 0102'],
    [{ function: 22, address: 4, and: 0xf2, or: 0x25 }, '16 0004 00f2 0025'],
    [
      { function: 23, address: 0xe, registers: hex('00ff 00ff 00ff'), from: 3, count: 6 },
      '17 0003 0006 000e 0003 06 00ff 00ff 00ff',
    ],
  ]
  for (const [request, wanted] of examples) t.equal(encode(request).toString('hex'), wanted.replaceAll(' ', ''))
})

t.test('the checksum is that of the specification', async t => {
  // MODBUS over Serial Line V1.02, appendix B: 02 07 has 0x1241, sent low byte first.
  t.equal(crc16(hex('0207'), 0, 2), 0x1241)
  t.equal(new Rtu().frame(0, 2, hex('07')).toString('hex'), '02074112')
})

const wholeAnswers = (random: Random): { request: Request; pdu: Buffer }[] =>
  Array.from({ length: 1 + random.below(4) }, () => {
    const table = random.pick(tables)
    const isBits = table === 'coil' || table === 'discrete-input'
    const request: Request = { table, address: random.below(100), count: 1 + random.below(isBits ? 2000 : 125) }
    const size = isBits ? Math.ceil(request.count / 8) : request.count * 2
    const pdu = Buffer.alloc(2 + size, random.below(256))
    pdu[0] = encode(request)[0]!
    pdu[1] = size
    return random.below(8) === 0 ? { request, pdu: Buffer.of(pdu[0]! | 0x80, 1 + random.below(11)) } : { request, pdu }
  })

/** In pieces, as a network may hand them on. */
function* pieces(bytes: Buffer, random: Random): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.below(random.below(3) === 0 ? 4 : bytes.length)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

t.test('whole answers are found however they are cut into pieces, and nothing is kept of them', async t => {
  const random = seeded(t)
  for (let round = 0; round < 600; round++) {
    const answers = wholeAnswers(random)
    for (const [framing, frame] of [
      [new Mbap(), tcpFrame],
      [new Rtu(), rtuFrame],
    ] as const) {
      const bytes = Buffer.concat(answers.map(({ pdu }, n) => frame({ transaction: n, unit: 17 }, pdu)))
      const found = [...pieces(bytes, random)].flatMap(piece => [...framing.take(piece, 17)])
      t.strictSame(
        found.map(a => [a.unit, a.pdu.toString('hex')]),
        answers.map(({ pdu }) => [17, pdu.toString('hex')]),
      )
      t.doesNotThrow(() => framing.settle())
    }
  }
})

/** Frames that are right, nearly right, and noise, one after the other. */
function mess(random: Random, frame: typeof tcpFrame): Buffer {
  const parts = Array.from({ length: 1 + random.below(4) }, () => {
    if (random.below(4) === 0) return Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)))
    const { pdu } = wholeAnswers(random)[0]!
    const bytes = Buffer.from(frame({ transaction: random.below(4), unit: random.below(3) }, pdu))
    for (let n = random.below(3); n > 0; n--) bytes[random.below(Math.min(bytes.length, 12))] = random.below(256)
    return bytes.subarray(0, random.below(3) === 0 ? random.below(bytes.length) : bytes.length)
  })
  return Buffer.concat(parts)
}

async function fuzz(make: () => Framing, frame: typeof tcpFrame, random: Random): Promise<Record<string, number>> {
  const count = { answers: 0, data: 0, exceptions: 0, wrong: 0, outOfStep: 0, longest: 0 }
  const request: Request = { table: 'holding-register', address: 0, count: 2 }
  let framing = make()
  for (let n = 0; n < inputs; n++) {
    try {
      for (const piece of pieces(mess(random, frame), random)) {
        for (const { pdu } of framing.take(piece, random.below(3))) {
          count.answers++
          count.longest = Math.max(count.longest, pdu.length)
          try {
            if (exceptionIn(request, pdu) !== undefined) count.exceptions++
            else if (dataIn(request, pdu).length === 4) count.data++
          } catch {
            count.wrong++
          }
        }
      }
    } catch (error) {
      if (!(error instanceof OutOfStep)) throw error
      count.outOfStep++
      framing = make()
    }
  }
  return count
}

t.test('whatever comes over Modbus TCP: answers of a size that can be, or out of step, nothing else', async t => {
  const count = await fuzz(() => new Mbap(), tcpFrame, seeded(t))
  t.comment(JSON.stringify(count))
  t.ok(count.longest! <= 253)
  t.ok(count.answers! > 0 && count.outOfStep! > 0 && count.wrong! > 0)
})

t.test('whatever comes over RTU: answers of a size that can be, never out of step', async t => {
  const count = await fuzz(() => new Rtu(), rtuFrame, seeded(t))
  t.comment(JSON.stringify(count))
  t.ok(count.longest! <= 253)
  t.equal(count.outOfStep, 0)
  t.ok(count.answers! > 0 && count.wrong! > 0)
})

t.test('RTU: after any noise the next whole answer of the awaited unit is found', async t => {
  const random = seeded(t)
  for (let n = 0; n < 1000; n++) {
    const framing = new Rtu()
    for (const piece of pieces(mess(random, rtuFrame), random)) framing.take(piece, 1)
    // A frame that lacks its last byte only would rightly find it in the next one's first.
    framing.take(Buffer.of(0xff, 0xff, 0x60), 1)
    const pdu = Buffer.of(3, 4, n >> 8, n & 0xff, 0xab, 0xcd)
    const found = framing.take(rtuFrame({ unit: 1 }, pdu), 1)
    t.strictSame(found.at(-1)?.pdu, pdu)
  }
})

t.test('a decoder keeps no more than one frame, however much is sent without ever being one', async t => {
  const rtu = new Rtu()
  // A unit and a function with the longest byte count there can be, again and again.
  const endless = Buffer.from(Array.from({ length: 3000 }, (_, n) => [1, 3, 250][n % 3]!))
  for (let n = 0; n < 200; n++) rtu.take(endless, 1)
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 200; n++) rtu.take(endless, 1)
  t.ok(process.memoryUsage().arrayBuffers - before < 16e6)
  t.throws(() => new Mbap().take(Buffer.alloc(1000, 1)), OutOfStep)
})

t.test('the bounds of one request are those of the specification', async t => {
  const words = (count: number): Buffer => Buffer.alloc(count * 2)
  const bits = (count: number): boolean[] => Array.from({ length: count }, () => true)
  const longest: readonly ((over: number) => Request)[] = [
    over => ({ table: 'coil', address: 0, count: most.bitsRead + over }),
    over => ({ table: 'input-register', address: 0, count: most.registersRead + over }),
    over => ({ function: 15, address: 0, values: bits(most.bitsWritten + over) }),
    over => ({ function: 16, address: 0, registers: words(most.registersWritten + over) }),
    over => ({ function: 23, address: 0, registers: words(most.registersWrittenAndRead + over), from: 0, count: 125 }),
  ]
  for (const request of longest) {
    t.ok(encode(request(0)).length <= 253)
    t.throws(() => encode(request(1)), { name: 'Refused' })
  }
  t.throws(() => encode({ function: 16, address: 0, registers: Buffer.alloc(3) }), { name: 'Refused' })
})
