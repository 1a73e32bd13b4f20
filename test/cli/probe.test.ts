import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { peer, started } from '../peers.ts'
import { fieldline } from './command.ts'

const script = (name: string): string => new URL(`../gateway/modbus/${name}`, import.meta.url).pathname

async function slaves(t: Test, python: string): Promise<number> {
  return JSON.parse(await started(t, python, [script('pymodbus-server.py')])).port
}

/** The configuration at the end of what was printed. */
const skeleton = (out: string): string => out.slice(out.indexOf('daemon: gateway'))

t.test('a unit is told with its identity and what it has, and the skeleton works as it is', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const port = await slaves(t, python)
  const { status, out, err } = await fieldline(['probe', `modbus-tcp://127.0.0.1:${port}/1`])
  t.equal(status, 0, err)
  t.match(out, /Unit 1 answers\./)
  t.match(out, /It calls itself: ACME, PLC-7, 2\.1, Press controller/)
  t.match(out, /holding-register +0-124 +0 1 4660 65535 32768 65535 \.\.\./)
  t.match(out, /coil +0-31 +1 0 0 1 0 0 \.\.\./)
  const file = join(t.testdir({}), 'gateway.yaml')
  writeFileSync(file, skeleton(out))
  const test = await fieldline(['test', 'device', '--config', file])
  t.match(test, { status: 0, out: /^holding_register\.2 .*4660 {2}1$/m })
})

t.test('a SunSpec device is recognised, and the skeleton reads it by its template', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const port = await slaves(t, python)
  const { out } = await fieldline(['probe', `modbus-tcp://127.0.0.1:${port}/3`])
  t.match(out, /It is a SunSpec device: map at 40000, models 1, 103\./)
  const file = join(t.testdir({}), 'gateway.yaml')
  writeFileSync(file, skeleton(out))
  t.match(await fieldline(['test', 'device', '--config', file]), {
    status: 0,
    out: /^inverter\.ac\.power +source=device sunspec\.model=103 +233\.5 {2}W$/m,
  })
})

t.test('a unit behind a converter is probed by RTU', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const port = await started(t, python, [script('pymodbus-lines.py'), 'rtu-tcp'])
  const { status, out } = await fieldline(['probe', `modbus-rtu-tcp://127.0.0.1:${port}`])
  t.equal(status, 0)
  t.match(out, /^Unit 1 answers\.\n/m)
  t.match(out, /^holding-register +0-124 +0 7 14 21 28 35 \.\.\.$/m)
})

/** A gateway with units 3 and 9 behind it, which refuse everything; of all others it hears nothing. */
async function gateway(t: Test): Promise<number> {
  const server = createServer(socket =>
    socket.on('data', request => {
      const [unit, code] = [request[6]!, request[7]!]
      const exception = unit === 3 || unit === 9 ? 2 : 11
      socket.write(Buffer.concat([request.subarray(0, 4), Buffer.of(0, 3, unit, code | 0x80, exception)]))
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as { port: number }).port
}

t.test('a scan finds the units behind a gateway, and tells how far it is', async t => {
  const port = await gateway(t)
  const args = ['probe', `modbus-tcp://127.0.0.1:${port}`, '--scan', '--pace', '1ms', '--timeout', '10s']
  const { status, out, err } = await fieldline(args)
  t.equal(status, 0)
  t.match(err, /^247 of 247 unit ids asked, 2 answer$/m)
  t.match(out, /^These unit ids answer: 3, 9$/m)
  t.match(out, /^Unit 9 answers\.\nIt says nothing of itself \(function 43\/14\)\.\nAt none of the usual addresses/m)
  t.match(out, /^ {4}unit_id: 9$/m)
})

t.test('where nothing listens, nobody answers or the address is none, it says so', async t => {
  const mute = createServer(socket => socket.resume()).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const { port } = mute.address() as { port: number }
  t.match(await fieldline(['probe', `modbus-tcp://127.0.0.1:${port}/7`, '--timeout', '500ms']), {
    status: 1,
    out: /^Unit 7 does not answer: .*no answer within 500 ms\nNobody answers\. /,
  })
  mute.close()
  await once(mute, 'close')
  t.match(await fieldline(['probe', `modbus-tcp://127.0.0.1:${port}`, '--scan']), {
    status: 1,
    err: /^connecting to 127\.0\.0\.1:\d+: connect ECONNREFUSED/,
  })
  t.match(await fieldline(['probe', 'modbus-tpc://x']), { status: 2, err: /^expected an address such as modbus-tcp/ })
  t.match(await fieldline(['probe', 'modbus-tcp://x', '--pace', '5']), {
    status: 2,
    err: /^--pace: expected a duration/,
  })
})
