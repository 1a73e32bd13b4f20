import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { registerApi } from '../../collector/api/server.ts'
import { disk } from '../collector/api/disks.ts'
import { FakeView } from '../collector/api/fake-view.ts'
import { fieldline } from './command.ts'

const now = Date.UTC(2026, 10, 26)

function fleet(): FakeView {
  const view = new FakeView()
  const counts = { reallocated: 152, uncorrected: 38 }
  view.addDisk(disk('wwn-0x1', now, { risk: 'critical', probability: 0.7412, trend: 'rising', counts }))
  const wear = { used: 0.5, known: true, from: now, at: now, to: null, sentence: '50 % of its endurance is used' }
  view.addDisk(disk('nvme-2', now, { probability: null, wear, node: 'store-4', serial: 'S 2' }))
  return view
}

/** The configuration of a collector that serves this. */
async function served(t: Test, view: FakeView): Promise<string> {
  const app = fastify({ forceCloseConnections: true })
  registerApi(app, view)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return config(t, (app.server.address() as AddressInfo).port)
}

function config(t: Test, port: number): string {
  const text = `daemon: collector\nstate: /tmp/none\nlisten: 127.0.0.1:${port}\nbroker: {}\n`
  return join(t.testdir({ 'collector.yaml': text }), 'collector.yaml')
}

t.test('drives as a table, those at risk first, with the sum; status 1 where one warns', async t => {
  const { status, out } = await fieldline(['disks', '--config', await served(t, fleet())])
  t.equal(status, 1)
  const [head, first, second, , sum] = out.split('\n')
  t.match(head, /^risk +node +device +model +serial +size +age +fails in 30 d +trend +worn out +why$/)
  t.match(
    first,
    /^CRITICAL +packing-2 +\/dev\/sda +ST4000DM000 +Z30wwn-0x1 +4 TB +2\.9 y +74 % +rising +- +152 realloc/,
  )
  t.match(second, /^- +store-4 .* unknown +- +2026-11-26 +50 % of its endurance is used$/)
  t.equal(sum, '2 drives: 1 scored, 1 unknown, 0 gone; 1 critical, 0 warning, 0 to watch')
})

t.test('only those of a node, as JSON; status 0 where none warns', async t => {
  const file = await served(t, fleet())
  const { status, out } = await fieldline(['disks', '--config', file, '--node', 'store-4', '--json'])
  t.equal(status, 0)
  t.match(JSON.parse(out), { disks: [{ id: 'nvme-2', known: false }], more: false, summary: { drives: 2 } })
})

t.test('one drive whole, by its id or its serial number, in the language of the caller', async t => {
  const file = await served(t, fleet())
  const one = await fieldline(['disks', 'wwn-0x1', '--config', file], { LC_ALL: 'zh_CN.UTF-8' })
  t.equal(one.status, 1)
  t.match(one.out, /^Seagate ST4000DM000 Z30wwn-0x1 4 TB\nwwn-0x1 {2}packing-2 {2}\/dev\/sda\n最近一次读取于 2026-/)
  t.match(one.out, /^reallocated +152 +0 +56 +80 +152 +2026-11-25$/m)
  t.match(one.out, /^2026-11-25 +74 %$/m)
  const other = await fieldline(['disks', 'S 2', '--config', file, '--json'])
  t.match([other.status, JSON.parse(other.out)], [0, { id: 'nvme-2', counts: [] }])
  t.match(await fieldline(['disks', 'none', '--config', file]), { status: 1, err: /knows no drive none/ })
})

t.test('nothing told yet, nobody there, and wrong usage are said', async t => {
  t.match(await fieldline(['disks', '--config', await served(t, new FakeView())]), {
    status: 0,
    out: /need the source smart/,
  })
  const app = fastify()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  await app.close()
  t.match(await fieldline(['disks', '--config', config(t, port)]), {
    status: 1,
    err: /does not answer[\s\S]+journalctl/,
  })
  t.match(await fieldline(['disks', 'a', 'b']), { status: 2, err: /unexpected "b"/ })
  t.match(await fieldline(['disks', '--most', '0']), { status: 2, err: /--most 0/ })
})
