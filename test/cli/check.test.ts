import { join } from 'node:path'
import t from 'tap'
import { fieldline } from './command.ts'

const right = `daemon: agent
sources:
  - { type: cpu, interval: &often 1s }
  - { type: memory, interval: *often }
uplinks:
  - { type: mqtt, brokers: ["mqtt://127.0.0.1:1883"] }
`

t.test('a right file is said to be right', async t => {
  const file = join(t.testdir({ 'agent.yaml': right }), 'agent.yaml')
  t.strictSame(await fieldline(['check', file]), {
    status: 0,
    out: `${file}: right, for an agent with 2 sources and 1 uplink\n`,
    err: '',
  })
})

t.test('--resolved prints plain JSON with the values as written', async t => {
  const file = join(t.testdir({ 'agent.yaml': right }), 'agent.yaml')
  const { status, out } = await fieldline(['check', '--resolved', file])
  t.equal(status, 0)
  t.match(JSON.parse(out), { daemon: 'agent', sources: [{ type: 'cpu' }, { type: 'memory', interval: '1s' }] })
})

t.test('--resolved prints all of a configuration, however long', async t => {
  const registers = Array.from({ length: 6000 }, (_, n) => `{ name: tag.${n}, table: coil, address: ${n}, type: bool }`)
  const source = `{ type: modbus, url: "modbus-tcp://127.0.0.1", registers: [${registers.join(', ')}] }`
  const text = `daemon: gateway\nsources: [${source}]\nuplinks: []\n`
  const file = join(t.testdir({ 'gateway.yaml': text }), 'gateway.yaml')
  const { status, out } = await fieldline(['check', '--resolved', file])
  t.equal(status, 0)
  t.equal(JSON.parse(out).sources[0].registers.length, 6000)
})

t.test('all mistakes are told at once on stderr, with status 1', async t => {
  const wrong = right.replace('interval: &often 1s', 'intervall: &often 1 sec').replace('type: mqtt', 'type: mqt')
  const file = join(t.testdir({ 'agent.yaml': wrong }), 'agent.yaml')
  const { status, out, err } = await fieldline(['check', file])
  t.equal(status, 1)
  t.equal(out, '')
  t.match(err, `${file}:3:18: sources[0]: unknown key intervall; did you mean interval?\n`)
  t.match(err, `${file}:4:31: sources[1].interval: expected a duration such as 10s`)
  t.match(err, `${file}:6:13: uplinks[0].type: unknown uplink type mqt; did you mean mqtt?\n`)
})

t.test('a source that acknowledges what it is sent needs somewhere to keep it', async t => {
  const source = (uplinks: string, more: string) =>
    `daemon: gateway\nsources:\n  - { type: load }\n  - { type: hl7, name: ward-3 }\nuplinks: [${uplinks}]\n${more}`
  const folder = t.testdir({
    'shown.yaml': source('', 'metrics_readings: true\n'),
    'sent.yaml': source('{ type: mqtt, brokers: ["mqtt://127.0.0.1:1883"] }', 'metrics_readings: true\n'),
    'waiting.yaml': source('', ''),
  })
  const file = join(folder, 'shown.yaml')
  for (const args of [
    ['check', file],
    ['gateway', '--config', file],
  ]) {
    const { status, err } = await fieldline(args)
    t.equal(status, 1)
    t.match(
      err,
      `${file}:4:5: sources[1]: source ward-3 acknowledges messages, and without an uplink nothing of them is kept; add one to uplinks\n`,
    )
  }
  for (const right of ['sent.yaml', 'waiting.yaml'])
    t.equal((await fieldline(['check', join(folder, right)])).status, 0, right)
})

t.test('a file that is not there is a plain error', async t => {
  const file = join(t.testdir(), 'none.yaml')
  t.match(await fieldline(['check', file]), { status: 1, out: '', err: `${file}: cannot be read: ENOENT` })
})

t.test('a daemon given a wrong file says every mistake and does not start', async t => {
  const file = join(t.testdir({ 'agent.yaml': 'daemon: agent\nsurces: []\nuplinks: []\n' }), 'agent.yaml')
  const { status, err } = await fieldline(['agent', '--config', file])
  t.equal(status, 1)
  t.match(err, `${file}:2:1: unknown key surces; did you mean sources?\n`)
  t.notMatch(err, /Command failed/)
})

t.test("a daemon given another daemon's file says which command it is for", async t => {
  const file = join(t.testdir({ 'agent.yaml': right }), 'agent.yaml')
  const { status, err } = await fieldline(['gateway', '--config', file])
  t.equal(status, 1)
  t.match(err, `${file}:1:9: daemon: this file is for: fieldline agent --config ${file}\n`)
})
