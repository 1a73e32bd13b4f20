import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../core/free-port.ts'
import { Sender } from '../../gateway/hl7/client.ts'
import { oru, ward } from '../gateway/hl7/rig.ts'
import { fieldline } from './command.ts'

t.test('hl7 send sends what a file holds and says what became of each message', async t => {
  const here = await ward(t)
  const file = join(here.folder, '../batch.hl7')
  const poison = oru(2).replace('|2.6', '|3.0')
  writeFileSync(
    file,
    `\ufeffFHS|^~\\&|X\nBHS|^~\\&|X\n${oru(1)}${poison}${oru(3)}BTS|3\nFTS|1\n`.replaceAll('\r', '\r\n'),
  )
  const { status, out } = await fieldline(['hl7', 'send', file, '--to', `mllp://127.0.0.1:${here.port}`])
  t.equal(status, 1)
  const lines = out.trim().split('\n')
  t.match(lines, [
    /^AA {2}ORM\^O01 {2}1 {2}[\d.]+ ms$/,
    /^AR {2}ORM\^O01 {2}2 .*MSH-12 is no version 2/,
    /^AA/,
    /^3 messages, 2 accepted$/,
  ])
  const chinese = await fieldline(['hl7', 'send', file, '--to', `mllp://127.0.0.1:${here.port}`], {
    LC_ALL: 'zh_CN.UTF-8',
  })
  t.match(chinese.out, /共 3 条消息，2 条被接受/)
})

t.test('hl7 send says what is wrong with its words', async t => {
  for (const [args, said] of [
    [['hl7'], /Known are send and aside/],
    [['hl7', 'send'], /FILE is missing/],
    [['hl7', 'send', 'x', '--to', 'http://x'], /expected mllp:/],
    [['hl7', 'send', 'x', '--tries', '0'], /expected a whole number/],
    [['hl7', 'send', 'x', '--ca', 'y'], /mllps:/],
  ] as const) {
    const { status, err } = await fieldline(args)
    t.equal(status, 2)
    t.match(err, said)
  }
})

t.test('hl7 aside lists what was kept aside', async t => {
  const state = t.testdir()
  const file = join(state, 'gateway.yaml')
  writeFileSync(
    file,
    `daemon: gateway\nstate: ${state}\nsources: [{ type: hl7, name: ward }]\nuplinks: [{ type: mqtt, brokers: ["mqtt://127.0.0.1"] }]\n`,
  )
  t.match(await fieldline(['hl7', 'aside', '--config', file]), { status: 0, out: /Nothing was kept aside/ })
  const { keepAside } = await import('../../gateway/hl7/aside.ts')
  const about = { kind: 'unusable', reason: 'no\nsense', peer: '10.1.2.3', print: 'abcd', time: 1_790_000_000_000 }
  keepAside(join(state, 'sources/ward/aside'), 1e6, { ...about, bytes: Buffer.from(oru(1)) })
  const { out } = await fieldline(['hl7', 'aside', '--config', file])
  t.match(out, /^2026-09-21T.*Z {2}ward {2}10\.1\.2\.3 {2}unusable .*-abcd\.hl7\n$/)
  const { out: json } = await fieldline(['hl7', 'aside', '--config', file, '--json'])
  t.match(JSON.parse(json), [{ source: 'ward', kind: 'unusable', bytes: oru(1).length }])
})

t.test('test shows the first message that arrives, and its sender keeps it', async t => {
  const [port, folder] = [await freePort(), t.testdir()]
  const file = join(folder, 'gateway.yaml')
  writeFileSync(
    file,
    `daemon: gateway\nstate: ${folder}\nsources: [{ type: hl7, listen: "127.0.0.1:${port}" }]\nuplinks: [{ type: mqtt, brokers: ["mqtt://127.0.0.1"] }]\n`,
  )
  const tested = fieldline(['test', 'hl7', '--config', file])
  const sender = new Sender({ host: '127.0.0.1', port, tls: undefined, timeout: 1000, tries: 1 })
  t.teardown(() => sender.close())
  let code = ''
  while (code === '') ({ code } = await sender.send(Buffer.from(oru(1)), new AbortController().signal))
  t.equal(code, 'AE')
  t.match((await tested).out, /hl7\.message/)
})
