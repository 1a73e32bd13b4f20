import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encode, labelOf } from '../../../gateway/hl7/charset.ts'
import { unescaped } from '../../../gateway/hl7/escape.ts'
import { Malformed, type Message, parse } from '../../../gateway/hl7/message.ts'
import type { Segment } from '../../../gateway/hl7/segment.ts'

const data = process.env.FIELDLINE_DATA ?? '../shared/data'

function message(...segments: readonly string[]): Message {
  return parse(Buffer.from(`${segments.join('\r')}\r`))
}

const header = String.raw`MSH|^~\&|APP|FAC|||20260101||ORU^R01^ORU_R01|42|P|2.6`

t.test('every message of the corpus is taken apart and put together again without loss', async t => {
  const files = globSync(join(data, 'hl7/*/*.hl7'))
  if (files.length === 0) return t.plan(0, `${data} is missing: set FIELDLINE_DATA to the folder that has it`)
  for (const file of files) {
    const bytes = readFileSync(file)
    const read = parse(bytes)
    const whole = read.head + read.segments.map(s => s.text + s.end).join('')
    t.ok(read.bytes.equals(bytes) && encode(whole, read.charset.used).equals(bytes), file)
    for (const segment of read.segments) t.strictSame(rebuilt(read, segment), segment.text, file)
  }
})

/** A segment from its smallest parts. */
function rebuilt({ encoding }: Message, segment: Segment): string {
  const first = segment.name === 'MSH' ? 2 : 1
  const count = segment.fields - first + 1
  const fields = Array.from({ length: count }, (_, n) => {
    const field = segment.field(n + first)
    if (n + first === 2 && first === 2) return field.text
    const repetitions = field.text.split(encoding.repetition).map((one, r) => {
      const components = one.split(encoding.component).length
      return Array.from({ length: components }, (_, c) => field.raw(c + 1, r + 1)).join(encoding.component)
    })
    return repetitions.join(encoding.repetition)
  })
  return [segment.name, ...fields].join(encoding.field)
}

t.test('fields, repetitions, components and sub-components have the numbers of the standard', async t => {
  const read = message(header, 'PID|||1^^^A&1.2.3&ISO~2^^^B||Doe^John|""||')
  t.equal(read.header.field(1).text, '|')
  t.equal(read.header.field(2).component(), String.raw`^~\&`)
  t.equal(read.header.field(3).component(), 'APP')
  t.strictSame([read.type, read.trigger, read.controlId, read.version], ['ORU', 'R01', '42', '2.6'])
  const id = read.segment('PID')!.field(3)
  t.equal(id.repetitions, 2)
  t.strictSame(
    [id.component(4, 2), id.component(4, 3), id.component(1, 1, 2), id.component(4, 1, 2)],
    ['1.2.3', 'ISO', '2', 'B'],
  )
  t.equal(id.raw(4), 'A&1.2.3&ISO')
  t.strictSame([id.component(9), id.component(1, 2), id.component(1, 1, 3)], ['', '', ''])
})

t.test('null, empty and absent are told apart', async t => {
  const pid = message(header, 'PID|1||""|').segment('PID')!
  t.strictSame(
    [3, 2, 4, 99].map(n => [pid.field(n).isNull, pid.field(n).isEmpty]),
    [
      [true, false],
      [false, true],
      [false, true],
      [false, true],
    ],
  )
})

t.test('a sender may choose its delimiters, and need not have all of them', async t => {
  const read = message('MSH#*+!%#APP#FAC#####ORU*R01#7#P#2.3', 'OBX##ST#a*b##x!S!y%z+2')
  t.equal(read.trigger, 'R01')
  const value = read.segment('OBX')!.field(5)
  t.strictSame([value.component(), value.component(1, 2), value.component(1, 1, 2)], ['x*y', 'z', '2'])
  const few = message('MSH|^|APP|FAC|||1||ORU^R01|7|P|2.1', 'OBX||ST|a^b||x~y\\F\\&z')
  t.equal(few.segment('OBX')!.field(5).component(), 'x~y\\F\\&z')
})

t.test('segments may end with CR, LF or CRLF, and a line break within a text does not make one', async t => {
  const lines = [header, 'OBX|1|FT|a||first', 'second line|more', 'NTE|1', 'ZX1']
  for (const end of ['\r', '\n', '\r\n', '\r\r\n']) {
    const read = parse(Buffer.from(lines.join(end) + end))
    t.strictSame(
      read.segments.map(s => s.name),
      ['MSH', 'OBX', 'NTE', 'ZX1'],
      JSON.stringify(end),
    )
    t.equal(read.segment('OBX')!.text, `OBX|1|FT|a||first${end}second line|more`)
    t.equal(read.segments.map(s => s.text + s.end).join(''), lines.join(end) + end)
  }
  t.equal(parse(Buffer.from(header)).segments[0]!.end, '', 'a last segment without an end')
})

t.test('noise and a byte order mark in front of MSH are passed over and kept', async t => {
  for (const noise of ['\ufeff', '\r\n', '\0\0', 'hello ']) {
    const read = parse(Buffer.from(`${noise}${header}\r`))
    t.equal(read.head, noise)
    t.equal(read.controlId, '42')
  }
})

t.test('what is no message is refused, and the reason repeats nothing of it', async t => {
  const secret = 'Doe'
  for (const text of [
    '',
    secret,
    `PID|||${secret}`,
    `MSH${secret}`,
    'MSH|^^^^|',
    'MSH||',
    'MSH|ab~\\&|',
    `${'x'.repeat(200)}${header}`,
    'MSH',
  ])
    t.throws(() => parse(Buffer.from(text)), Malformed, text)
  t.doesNotThrow(() => parse(Buffer.from('MSH|^')))
  const said = (() => {
    try {
      return String(parse(Buffer.from(secret)))
    } catch (error) {
      return String(error)
    }
  })()
  t.notMatch(said, secret)
})

t.test('escapes mean what clause 2.7 says, and nothing else is touched', async t => {
  const { encoding } = message(header)
  const cases: Readonly<Record<string, string>> = {
    'a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f': 'a|b^c&d~e\\f',
    '\\H\\bold\\N\\': 'bold',
    'one\\.br\\two\\.sp2\\three\\.sk3\\four\\.ce\\five': 'one\ntwo\n\nthree   four\nfive',
    '\\.in+4\\\\.fi\\x\\.ti-2\\': 'x',
    '\\X410a\\': 'A\n',
    '\\X4\\': '\\X4\\',
    '\\C2842\\\\M247E7E\\\\Zown\\': '\\C2842\\\\M247E7E\\\\Zown\\',
    'C:\\Temp\\F\\x': 'C:\\Temp|x',
    'lone \\ here': 'lone \\ here',
    '\\.sk999999\\': ' '.repeat(100),
    '\\E': '\\E',
    '\\\\': '\\\\',
  }
  for (const [text, meant] of Object.entries(cases)) t.equal(unescaped(text, encoding), meant, text)
})

const sets: Readonly<Record<string, readonly [label: string, text: string]>> = {
  ASCII: ['ascii', 'plain'],
  '8859/1': ['iso-8859-1', 'Müller'],
  '8859/2': ['iso-8859-2', 'Łódź'],
  '8859/5': ['iso-8859-5', 'Иванов'],
  '8859/7': ['iso-8859-7', 'Αθήνα'],
  '8859/15': ['iso-8859-15', 'œuvre €'],
  'UNICODE UTF-8': ['utf-8', '张伟 Müller 😀'],
  GB18030: ['gb18030', '张伟'],
  'GB 18030-2000': ['gb18030', '护士站'],
  'UNICODE UTF-16': ['utf-16le', '张伟 Müller'],
  'KS X 1001': ['euc-kr', '김철수'],
  'BIG-5': ['big5', '張偉'],
}

for (const [said, [label, text]] of Object.entries(sets)) {
  t.test(`a message in ${said} is read as such and its bytes come back`, async t => {
    const whole = `${header}||||||${said}~\rPID|||1||${text}\r`
    for (const used of label === 'utf-16le' ? ['utf-16le', 'utf-16be'] : [label]) {
      const bytes = encode(whole, used)
      const read = parse(bytes)
      t.strictSame(read.charset, { said, used, asSaid: true })
      t.equal(read.segment('PID')!.field(5).component(), text)
      t.ok(encode(read.text, used).equals(bytes))
    }
  })
}

t.test('bytes that are not what MSH-18 says are read by rule and told', async t => {
  const read = (said: string, bytes: Buffer, charset?: string): unknown[] => {
    const whole = Buffer.concat([Buffer.from(`${header}||||||${said}\rPID|||1||`), bytes, Buffer.from('\r')])
    const { charset: found, segments } = parse(whole, { charset })
    return [found.used, found.asSaid, segments[1]!.field(5).component()]
  }
  const latin = Buffer.from('Müller', 'latin1')
  const utf8 = Buffer.from('Müller')
  t.strictSame(read('', utf8), ['utf-8', true, 'Müller'])
  t.strictSame(read('', latin), ['windows-1252', true, 'Müller'])
  t.strictSame(read('', latin, '8859/2'), ['iso-8859-2', true, 'Müller'], 'a configured set')
  t.strictSame(read('UNICODE UTF-8', latin), ['windows-1252', false, 'Müller'])
  t.strictSame(read('ASCII', utf8), ['utf-8', false, 'Müller'])
  t.strictSame(read('KLINGON', utf8), ['utf-8', false, 'Müller'])
  t.strictSame(read('KLINGON', Buffer.from('x')), ['ascii', false, 'x'])
  t.strictSame([labelOf('iso 8859-15'), labelOf('8859/12'), labelOf('8859/99')], ['iso-8859-15', undefined, undefined])
})
