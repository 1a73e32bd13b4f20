// Nothing that identifies a person leaves: for every message of the corpus, and for messages in which a person's
// names, numbers, addresses and dates stand in every field, component, repetition and escape.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { eventParcel } from '../../../agent/edge.ts'
import { memoryKeep } from '../../../agent/keep.ts'
import { Refused } from '../../../core/errors.ts'
import type { Observation } from '../../../core/model.ts'
import { metricsEncoder } from '../../../core/otlp/encode.ts'
import { Malformed, parse } from '../../../gateway/hl7/message.ts'
import { type Random, seeded } from '../../random.ts'
import { ward } from './ward.ts'

const corpus = join(process.env.FIELDLINE_DATA ?? join(import.meta.dirname, '../../../../shared/data'), 'hl7')
const rounds = Number(process.env.FIELDLINE_FUZZ ?? 600)

/** Exactly what leaves: the OTLP bytes of samples and of events. */
function bytesOf({ samples, events }: Observation): string {
  const metrics = metricsEncoder({})(samples, [])
  const logs = events.length === 0 ? Buffer.alloc(0) : zstdDecompressSync(eventParcel({}, events).payload)
  return Buffer.concat([metrics, logs]).toString('utf8').toLowerCase()
}

/** Segments that only speak of persons. */
const personal = ['PID', 'NK1', 'GT1', 'IN1', 'IN2', 'PD1', 'MRG', 'ROL', 'NTE']

t.test('nothing of the corpus’ people is in what leaves', { skip: !existsSync(corpus) && `no ${corpus}` }, async t => {
  let people = 0
  for (const folder of ['ihe-pcd', 'fhir-converter']) {
    for (const file of readdirSync(join(corpus, folder)).filter(f => f.endsWith('.hl7'))) {
      const bytes = readFileSync(join(corpus, folder, file))
      const keep = memoryKeep()
      const here = ward({}, keep)
      const told = here.take(bytes, Date.UTC(2026, 10, 26))
      await here.saved()
      const left = bytesOf(told) + (keep.load() ?? '').toLowerCase()
      for (const secret of secretsIn(bytes)) {
        people++
        if (left.includes(secret.toLowerCase())) t.fail(`${file} lets ${JSON.stringify(secret)} out`)
      }
    }
  }
  t.ok(people > 1000, `${people} names, numbers and texts looked for`)
})

/** Every meaning in the segments of persons that is long enough to be told from chance. */
function* secretsIn(bytes: Buffer): Generator<string> {
  for (const segment of parse(bytes).segments) {
    if (!personal.includes(segment.name)) continue
    for (let n = 2; n <= segment.fields; n++) {
      for (const text of segment.field(n).text.split(/[~^&]/))
        if (/^(?=.*\p{L}).{5,}$|^\d{7,}$/su.test(text)) yield text
    }
  }
}

/** A person who never was. */
const identifiers = [
  'Zwetschkenbaum', 'Quirinia', 'MRN-77120934', '551-88-2044', '19470813', '+32 9 555 01 42', 'Elmstraat 41',
  'q.zwetschkenbaum@example.org', 'Gent-9042X', 'POL-AB-991827', 'Frau Dr. Ottokarina Weißfluß', '王小明同志', 'VISIT55120', '8473002199',
] as const // biome-ignore format: a list

const forms: readonly ((text: string) => string)[] = [
  text => text,
  text => `${text}^${text}&${text}^^${text}`,
  text => `x~${text}~${text}^${text}`,
  text => `\\H\\${text}\\N\\`,
  text => `\\X${Buffer.from(text).toString('hex').toUpperCase()}\\`,
  text => `${text.slice(0, 3)}\\.br\\${text.slice(3)}^${text}`,
  text => `\\T\\${text}\\S\\${text}`,
  text => text.toUpperCase(),
  text => `  ${text}  `,
]

const templates = [
  'ORU^R01^ORU_R01', 'ORU^R40^ORU_R40', 'ORU^W01^ORU_W01', 'ADT^A01', 'ADT^A02', 'ADT^A03', 'ADT^A08', 'ADT^A40', 'ADT^A60', 'MDM^T02', 'OUL^R22', 'ORM^O01', 'VXU^V04', 'SIU^S12',
] as const // biome-ignore format: a list

/** A message with the person in PID, and again wherever chance puts parts of that identity. */
function planted(random: Random): string {
  const type = random.pick(templates)
  const some = (): string => random.pick(forms)(random.pick(identifiers))
  const spoiled = (segment: string): string =>
    segment
      .split('|')
      .map((field, n) => (n > 0 && random() < 0.25 ? (random() < 0.5 ? some() : `${field}^${some()}`) : field))
      .join('|')
  const whole = (name: string, fields: number): string =>
    [name, ...Array.from({ length: fields }, () => (random() < 0.7 ? some() : ''))].join('|')
  const person = `PID|1||MRN-77120934^^^Gent-9042X^MR~8473002199^^^^PI||Zwetschkenbaum^Quirinia^Frau Dr. Ottokarina Weißfluß||19470813|F|王小明同志||Elmstraat 41^^Gent-9042X||+32 9 555 01 42^^^q.zwetschkenbaum@example.org|||||VISIT55120|551-88-2044|POL-AB-991827`
  const observation = (n: number): string =>
    spoiled(
      random.pick([
        `OBX|${n}|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.${n}|${random.below(200)}|264864^MDC_DIM_BEAT_PER_MIN^MDC||H|||R|||20261126095959|||||M1^^0080A1FFFE00AB12^EUI-64`,
        `OBX|${n}|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.${n}|start||||||R`,
        `OBX|${n}|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.7.6.${n}|1^2^3|262656^MDC_DIM_DIMLESS^MDC`,
        `OBX|${n}|CWE|8251-1^Comment^LN||${some()}||||||F`,
        `OBX|${n}|TX|8251-1^Comment^LN||${some()}||||||F`,
        `OBX|${n}|SN|2345-7^Glucose^LN||<^5|mg/dL|||||F`,
      ]),
    )
  const header = `MSH|^~\\&|${random() < 0.5 ? 'CMS' : some()}|${some()}|${some()}|${some()}|20261126100000+0000|${some()}|${type}|${some()}|P|2.6||||||UNICODE UTF-8`
  const place = `PV1|1|I|${random.pick(['W3^304^2', some(), `W3^${some()}^2`])}|||W3^1^${some()}|${whole('', 20).slice(1)}`
  const segments = [
    header,
    `EVN|A01|20261126|${some()}|${some()}|${some()}|20261126`,
    person,
    whole('PD1', 10),
    whole('NK1', 30),
    place,
    whole('PV2', 20),
    `MRG|${some()}`,
    whole('GT1', 40),
    whole('IN1', 40),
    spoiled('OBR|1|A|B|182777000^monitoring^SCT|||20261126095958'),
    whole('NTE', 4),
    ...Array.from({ length: random.below(8) }, (_, n) => observation(n + 1)),
    whole('ZPI', 12),
  ]
  return segments.join('\r')
}

t.test('a person planted anywhere does not leave', async t => {
  const random = seeded(t)
  let mapped = 0
  const here = ward()
  for (let n = 0; n < rounds; n++) {
    const message = planted(random)
    const left = taken(here, message)
    if (left === undefined) continue
    mapped++
    const found = identifiers.find(i => left.includes(i.toLowerCase()) || plainly(left).includes(plainly(i)))
    if (found !== undefined) t.fail(`${found} leaves:\n${message.replace(/\r/g, '\n')}\n${left}`)
  }
  t.ok(mapped > rounds / 2, `${mapped} of ${rounds} messages mapped`)
})

/** Undefined where the message is refused; anything else that is thrown is a fault. */
function taken(here: ReturnType<typeof ward>, message: string | Buffer): string | undefined {
  try {
    return bytesOf(here.take(typeof message === 'string' ? Buffer.from(message) : message))
  } catch (error) {
    if (error instanceof Refused || error instanceof Malformed) {
      const said = error.message.toLowerCase()
      const found = identifiers.find(i => said.includes(i.toLowerCase()))
      if (found !== undefined) throw new Error(`the reason holds ${found}`)
      return undefined
    }
    throw error
  }
}

function plainly(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
}

t.test('whatever is done to a message, it is mapped or refused', async t => {
  const random = seeded(t)
  const files = existsSync(corpus)
    ? ['ihe-pcd', 'fhir-converter'].flatMap(d =>
        readdirSync(join(corpus, d)).map(f => readFileSync(join(corpus, d, f))),
      )
    : []
  const here = ward()
  let mapped = 0
  for (let n = 0; n < rounds; n++) {
    const whole = files.length > 0 && random() < 0.5 ? random.pick(files) : Buffer.from(planted(random))
    if (taken(here, mutated(whole, random)) !== undefined) mapped++
  }
  t.ok(mapped > rounds / 10, `${mapped} of ${rounds} mutants mapped`)
})

const splices = [
  '|',
  '^',
  '~',
  '&',
  '\\',
  '\r',
  '""',
  '\\X00\\',
  '-999',
  '9'.repeat(400),
  '1.0.0.0',
  'OBX|',
  'NaN',
  'constructor',
  '__proto__',
  '\u{1f9b4}',
]

function mutated(whole: Buffer, random: Random): Buffer {
  let text = whole.toString('utf8')
  for (let n = random.below(12); n >= 0; n--) {
    const [a, b] = [random.below(text.length), random.below(40)]
    text =
      text.slice(0, a) +
      random.pick([...splices, text.slice(random.below(text.length)).slice(0, b)]) +
      text.slice(a + random.below(20))
  }
  return Buffer.from(text)
}
