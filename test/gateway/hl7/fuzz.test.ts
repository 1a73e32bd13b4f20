// Whatever a socket brings: no crash, no hang, no growth. FIELDLINE_FUZZ says how many inputs each test tries.

import t from 'tap'
import { answersTo } from '../../../gateway/hl7/ack.ts'
import { messagesIn } from '../../../gateway/hl7/batch.ts'
import { encode } from '../../../gateway/hl7/charset.ts'
import { Malformed, type Message, parse } from '../../../gateway/hl7/message.ts'
import { Framer, framed } from '../../../gateway/hl7/mllp.ts'
import { damaged } from '../../agent/damaged.ts'
import { type Random, seeded } from '../../random.ts'
import { oru } from './rig.ts'

const inputs = Number(process.env.FIELDLINE_FUZZ ?? 10_000)
const answering = { time: 0, controlId: () => 'C' }
const most = 5000

const texts = [
  oru(1),
  oru(2, 'a\\F\\b\\X41\\c\\.br\\d\\.sp9\\~x^y&z', '|||AL|AL||UNICODE UTF-8'),
  'MSH#*+!%#A#B#####ORU*R01#7#P#2.3\nOBX##ST#a*b##x!S!y%z+2\r\nZXX#""\r',
  `FHS|^~\\&|A\rBHS|^~\\&|A\r${oru(3)}${oru(4)}BTS|2\rFTS|1\r`,
  'MSH|^~\\&|监护仪|ICU|||1||ADT^A01|9|P|2.4||||||GB18030\rPID|||1||张伟^^\r',
]
const recordings = [
  ...texts.map(text => Buffer.from(text)),
  encode(texts[4]!, 'gb18030'),
  encode(oru(5, 80, '||||||UNICODE UTF-16'), 'utf-16le'),
  encode(oru(6, 80, '||||||UNICODE UTF-16'), 'utf-16be'),
  Buffer.from(oru(7, 'Müller', '||||||8859/1'), 'latin1'),
]

/** Harmed up to three times over; the bytes that frames and messages are made of come more often than others. */
function harmed(random: Random, telling: string): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(recordings))
  for (let n = random.below(3); n >= 0; n--) bytes = Buffer.from(damaged(random, bytes))
  for (let n = random.below(6); n > 0 && bytes.length > 0; n--)
    bytes[random.below(bytes.length)] = telling.charCodeAt(random.below(telling.length))
  return bytes
}

t.test('what is parsed comes back as it was, and is answered; all else is malformed', async t => {
  const random = seeded(t)
  let parsed = 0
  for (let n = 0; n < inputs; n++) {
    const bytes = harmed(random, '|^~\\&\r\nMSHX.\0\x1b')
    for (const one of messagesIn(bytes)) {
      const message = attempt(one)
      if (message === undefined) continue
      parsed++
      const trouble = troubleWith(message)
      if (trouble !== undefined) t.fail(`${trouble}: ${bytes.toString('hex')}`)
    }
  }
  t.comment(`${parsed} of ${inputs} were messages`)
  t.ok(parsed > inputs / 10, `${parsed} were messages`)
})

function attempt(bytes: Buffer): Message | undefined {
  try {
    return parse(bytes)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

function troubleWith(message: Message): string | undefined {
  const { text, head, segments, bytes } = message
  if (head + segments.map(s => s.text + s.end).join('') !== text) return 'its segments are not its text'
  for (const segment of segments) {
    for (let n = 1; n <= Math.min(segment.fields, 50); n++) {
      const field = segment.field(n)
      if (field.value().length > 100 + field.text.length * 101) return 'a text grew beyond measure'
      field.component(2, 2, field.repetitions)
    }
  }
  for (const outcome of ['accepted', 'error'] as const) {
    const verdict = outcome === 'accepted' ? { outcome } : { outcome, condition: 207 as const, text: 'no|room' }
    for (const answer of answersTo(message, verdict, answering)) {
      if (answer.length > bytes.length * 4 + 400) return 'an answer is larger than its message'
      if (parse(answer).segment('MSA') === undefined) return 'an answer has no MSA'
    }
  }
  return undefined
}

t.test('frames do not depend on how their bytes were cut', async t => {
  const random = seeded(t)
  for (let n = 0; n < inputs; n++) {
    const stream = Buffer.concat(Array.from({ length: random.below(4) }, () => piece(random))).filter(
      byte => byte !== 0,
    )
    const whole = new Framer(most)
    const cut = new Framer(most)
    const expected = [...whole.push(Buffer.from(stream))]
    const found = [...chunksOf(random, Buffer.from(stream))].flatMap(chunk => [...cut.push(chunk)])
    const same = expected.length === found.length && expected.every((f, i) => f.bytes.equals(found[i]!.bytes))
    if (!same || whole.noise !== cut.noise || whole.cut !== cut.cut) t.fail(Buffer.from(stream).toString('hex'))
    const sum = found.reduce((bytes, frame) => bytes + frame.bytes.length, 0)
    const isBounded = sum <= stream.length && found.every(f => f.bytes.length <= most)
    if (!isBounded) t.fail('more came out than went in')
  }
  t.pass()
})

function piece(random: Random): Buffer {
  const bytes = harmed(random, '\x0b\x1c\r\n')
  switch (random.below(4)) {
    case 0:
      return bytes
    case 1:
      return Buffer.concat([framed(bytes), Buffer.alloc(random.below(3), '\r\n')])
    case 2:
      return Buffer.concat([Buffer.of(0x0b), bytes])
    default:
      return random() < 0.05 ? framed(Buffer.alloc(random.below(3 * most), oru(1))) : framed(bytes)
  }
}

function* chunksOf(random: Random, stream: Buffer): Generator<Buffer> {
  const size = random.pick([1, 2, 7, 100, 4000])
  for (let at = 0; at < stream.length; ) {
    const length = 1 + random.below(size)
    yield stream.subarray(at, at + length)
    at += length
  }
}
