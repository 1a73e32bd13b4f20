import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fieldline } from './command.ts'

const metrics = `# HELP fieldline_spool_bytes Bytes that wait in the spool.
# TYPE fieldline_spool_bytes gauge
fieldline_spool_bytes 1536
# HELP fieldline_commit_timestamp_seconds Time of the last commit at the far end.
# TYPE fieldline_commit_timestamp_seconds gauge
fieldline_commit_timestamp_seconds{uplink="central"} 1790000000
# HELP fieldline_refused_total Envelopes refused.
# TYPE fieldline_refused_total counter
fieldline_refused_total 0
# HELP process_resident_memory_bytes Resident memory of this process.
process_resident_memory_bytes 62914560
`

async function daemonAt(t: Test, code: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(code).end(body))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An address that was free a moment ago. */
async function nobodyAt(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return `127.0.0.1:${port}`
}

function config(t: Test, address: string, state: Record<string, string> = {}): string {
  const folder = t.testdir({ state })
  const text = `daemon: agent\nstate: ${folder}/state\nmetrics: "${address}"\nsources: []\nuplinks: []\n`
  return join(t.testdir({ state, 'agent.yaml': text }), 'agent.yaml')
}

t.test('a running daemon shows what it says of itself, in units for people', async t => {
  const file = config(t, await daemonAt(t, 200, metrics))
  const { status, out } = await fieldline(['status', '--config', file])
  t.equal(status, 0)
  t.match(out, /^agent: running, 127\.0\.0\.1:/)
  t.match(out, /^spool +1\.5 KiB {2}Bytes that wait in the spool\.$/m)
  t.match(out, /^commit timestamp \(uplink=central\) +2026-09-21T14:13:20\.000Z {2}/m)
  t.match(out, /^refused +0 {2}Envelopes refused\.$/m)
  t.match(out, /^process resident memory +60 MiB/m)
})

t.test('--json is one line', async t => {
  const file = config(t, await daemonAt(t, 200, metrics))
  const { out } = await fieldline(['status', '--config', file, '--json'])
  t.match(JSON.parse(out), [{ daemon: 'agent', running: true, metrics: [{ name: 'fieldline_spool_bytes' }] }])
})

t.test('a daemon that is not running: what waits in its spool and what to do', async t => {
  const address = await nobodyAt()
  const file = config(t, address, { 'spool.db': 'x'.repeat(4096) })
  const { status, out } = await fieldline(['status', '--config', file])
  t.equal(status, 1)
  t.match(out, /^agent: does not answer at 127\.0\.0\.1:\d+ \(.*ECONNREFUSED/)
  t.match(out, /its spool \S+spool\.db has 4 KiB, last written \d{4}-/)
  t.match(out, `systemctl start fieldline-agent`)
  t.match(out, `fieldline agent --config ${file}`)
})

t.test('something else at the address is not taken for the daemon', async t => {
  const file = config(t, await daemonAt(t, 500, 'nonsense'))
  t.match(await fieldline(['status', '--config', file]), { status: 1, out: /does not answer .*HTTP 500/ })
})

t.test('metrics that are off are told', async t => {
  t.match(await fieldline(['status', '--config', config(t, 'off')]), { status: 1, out: /metrics: off/ })
})
