import t from 'tap'
import { answersTo, answerToNoise, type Verdict } from '../../../gateway/hl7/ack.ts'
import { encode } from '../../../gateway/hl7/charset.ts'
import { type Message, parse } from '../../../gateway/hl7/message.ts'

const answering = { time: Date.UTC(2026, 0, 2, 3, 4, 5), controlId: () => 'C1' }
const accepted: Verdict = { outcome: 'accepted' }
const error: Verdict = { outcome: 'error', condition: 207, text: 'no room | now' }
const rejected: Verdict = { outcome: 'rejected', condition: 203, text: 'no version 2', at: ['MSH', 1, 12] }

function message(version: string, conditions = '', charset = ''): Message {
  const [accept = '', application = ''] = conditions.split(' ')
  const header = `MSH|^~\\&|MON^1^L|ICU|GW|HOME|20260101||ORU^R01^ORU_R01|id~7|P^T|${version}|||${accept}|${application}||${charset}`
  return parse(Buffer.from(`${header}\r`))
}

function told(message: Message, verdict: Verdict): string[] {
  return answersTo(message, verdict, answering).map(bytes => bytes.toString().replaceAll('\r', '\n'))
}

t.test('an answer turns sender and receiver round and keeps version, processing id and character set', async t => {
  t.strictSame(told(message('2.6', '', 'UNICODE UTF-8'), accepted), [
    `MSH|^~\\&|GW|HOME|MON^1^L|ICU|20260102030405+0000||ACK^R01^ACK|C1|P^T|2.6||||||UNICODE UTF-8\nMSA|AA|id~7\n`,
  ])
  t.match(told(message('2.3.1'), accepted)[0], /\|\|ACK\^R01\|C1\|P\^T\|2\.3\.1\nMSA/)
  t.match(told(message('2.1'), accepted)[0], /\|\|ACK\|C1\|/)
})

t.test('what went wrong stands in ERR, in the form of the version', async t => {
  t.match(
    told(message('2.6'), error)[0],
    /\nMSA\|AE\|id~7\nERR\|\|\|207\^Application internal error\^HL70357\|E\|\|\|\|no room \\F\\ now\n$/,
  )
  t.match(
    told(message('2.5.1'), rejected)[0],
    /\nMSA\|AR\|id~7\nERR\|\|MSH\^1\^12\|203\^Unsupported version id\^HL70357\|E\|\|\|\|no version 2\n$/,
  )
  t.match(
    told(message('2.4'), rejected)[0],
    /\nMSA\|AR\|id~7\|no version 2\|\|\|203\^Unsupported version id\^HL70357\nERR\|MSH\^1\^12\^203&Unsupported version id&HL70357\n$/,
  )
  t.match(told(message('2.2'), error)[0], /\nMSA\|AE\|id~7\|no room \\F\\ now\nERR\|\^\^\^207&Application/)
  t.match(told(message(''), error)[0], /\nMSA\|AE\|id~7\|no room/)
})

t.test('enhanced mode answers what MSH-15 and MSH-16 ask for', async t => {
  const codes = (conditions: string, verdict: Verdict): string =>
    told(message('2.6', conditions), verdict)
      .map(text => /MSA\|(..)/.exec(text)![1])
      .join(' ')
  const cases: Readonly<Record<string, readonly [fine: string, wrong: string]>> = {
    ' ': ['AA', 'AE'],
    'AL NE': ['CA', 'CE'],
    'AL AL': ['CA AA', 'CE'],
    'NE AL': ['AA', 'AE'],
    'NE NE': ['', ''],
    'ER NE': ['', 'CE'],
    'SU NE': ['CA', ''],
    'ER AL': ['AA', 'CE'],
    'SU ER': ['CA', 'AE'],
    ' AL': ['AA', 'AE'],
    'AL ': ['CA', 'CE'],
    'odd ': ['CA', 'CE'],
  }
  for (const [conditions, [fine, wrong]] of Object.entries(cases))
    t.strictSame([codes(conditions, accepted), codes(conditions, error)], [fine, wrong], JSON.stringify(conditions))
  t.equal(codes('AL NE', rejected), 'CR')
})

t.test('an answer is not answered', async t => {
  t.strictSame(told(parse(Buffer.from('MSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|AA|7\r')), accepted), [])
})

t.test('an answer has the delimiters and the character set of the message', async t => {
  const odd = parse(Buffer.from('MSH#*+!%#APP#FAC#####ORU*R01#7#P#2.5\r'))
  t.match(
    told(odd, error)[0],
    /^MSH#\*\+!%###APP#FAC#20260102030405\+0000##ACK\*R01\*ACK#C1#P#2.5\nMSA#AE#7\nERR###207\*/,
  )
  for (const [name, label] of [
    ['GB18030', 'gb18030'],
    ['8859/5', 'iso-8859-5'],
    ['UNICODE UTF-16', 'utf-16le'],
  ] as const) {
    const text = `MSH|^~\\&|${label === 'gb18030' ? '监护仪' : 'Пост'}|ICU|||1||ORU^R01|7|P|2.6||||||${name}\r`
    const [answer] = answersTo(parse(encode(text, label)), accepted, answering)
    const read = parse(answer!)
    t.equal(read.charset.used, label)
    t.equal(read.header.field(5).text, text.split('|')[2])
  }
})

t.test('what has no header is answered all the same', async t => {
  t.match(answerToNoise('no MSH', answering).toString(), /^MSH\|.*\|ACK\|C1\|P\|2.3\rMSA\|AR\|\|no MSH\|/)
})
