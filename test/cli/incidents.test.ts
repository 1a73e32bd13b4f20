import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { registerApi } from '../../collector/api/server.ts'
import { incidentOf } from '../collector/api/an-incident.ts'
import { FakeView } from '../collector/api/fake-view.ts'
import { fieldline } from './command.ts'

const id = '0123456789ab'
const noon = Date.UTC(2026, 10, 26, 12)
const rule = { kind: 'threshold', severity: 'error', evidence: {} } as const
const series = { name: 'press.pressure', unit: 'bar', kind: 'gauge', attributes: {} } as const
const high = {
  ...rule,
  id: 'f'.repeat(22),
  rule: 'press-pressure-high',
  message: 'press.pressure is 237, above 200',
  subject: { node: 'press-gw', series },
  since: noon,
}
const hot = { ...high, id: 'g'.repeat(22), rule: 'oil-hot', message: 'hot', since: noon + 4000, until: noon + 90_000 }

async function collector(t: Test, view = new FakeView()) {
  const app = fastify({ forceCloseConnections: true })
  registerApi(app, view)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const at = `127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return { view, at, ask: (...words: string[]) => fieldline(['incidents', ...words, '--collector', at]) }
}

t.test('none open is status 0, one is status 1, and the table says where and why', async t => {
  const { view, ask } = await collector(t)
  t.match(await ask(), { status: 0, out: 'No incident is open.\n' })
  view.setIncident(incidentOf([high, hot], { place: { line: 'A' } }))
  const { status, out } = await ask()
  t.equal(status, 1)
  t.match(out, /^id +severity +since +lasted +findings +where +likely first cause$/m)
  t.match(
    out,
    /^0123456789ab +error +2026-11-26T12:00:00Z +open +2 +press-gw \(line A\) +press-pressure-high: press\.pressure is 237/m,
  )
  t.match(JSON.parse((await ask('--json')).out), [{ id, until: null }])
  view.setIncident(incidentOf([high, hot], { until: noon + 90_000, openFindings: 0 }))
  t.match(await ask(), { status: 0, out: /No incident is open/ })
  t.match(await ask('--all'), { status: 0, out: /0123456789ab/ })
})

t.test('one incident is told with its time line', async t => {
  const { view, at, ask } = await collector(t)
  view.setIncident(incidentOf([high, hot], { common: 'oil-hot' }))
  const { status, out } = await ask(id)
  t.equal(status, 1)
  t.match(out, /^ +likely first cause +press-pressure-high \(press-gw\): press\.pressure is 237/m)
  t.match(out, /^ +because +it began first of its kind$/m)
  t.match(out, /^ +common cause +many hosts broke oil-hot at one moment/m)
  t.match(out, /^ +look at +press\.pressure$/m)
  const lines = out.split('\n').filter(line => line.startsWith('2026-'))
  t.match(lines, [
    /12:00:00Z +\+0\.0 s +begins +error/,
    /12:00:04Z +\+4\.0 s +begins .*oil-hot/,
    /12:01:30Z +\+90\.0 s +ends .*oil-hot/,
  ])
  const chinese = await fieldline(['incidents', id, '--collector', at], { LC_ALL: 'zh_CN.UTF-8' })
  t.match(chinese.out, /^ +状态 +未结束, 错误$[\s\S]+ 开始 +错误 +press-gw/m)
  t.match(JSON.parse((await ask(id, '--json')).out), { id, timeline: [{ rule: 'press-pressure-high' }, {}] })
  t.match(await ask('ffffffffffff'), { status: 1, err: /no incident ffffffffffff/ })
})

t.test('"not a problem" is said with a note and taken back', async t => {
  const { view, ask } = await collector(t)
  view.setIncident(incidentOf([high]))
  const told = await ask(id, '--not-a-problem', '--note', 'a test')
  t.match(told, {
    status: 0,
    out: /opens no incident:\n {2}oil-too-hot \(press\.oil\.temperature\), press-gw, <= error\nTake it back:/,
  })
  t.match(view.feedback(), [{ id, note: 'a test' }])
  t.match(await ask(id), { status: 0, out: /feedback +not a problem, .*: a test/ })
  t.match(await ask(id, '--take-back'), { status: 0, out: 'Taken back.\n' })
  t.strictSame(view.feedback(), [])
  t.match(await ask(id, '--take-back'), { status: 1, err: /no feedback/ })
  await ask('f'.repeat(22), '--not-a-problem')
  t.match(view.feedback(), [{ about: 'finding' }])
})

t.test('the address comes from the configuration, and a collector that does not answer is told', async t => {
  const { at } = await collector(t)
  const file = `${t.testdir()}/collector.yaml`
  writeFileSync(file, `daemon: collector\nlisten: ${at}\n`)
  t.match(await fieldline(['incidents', '--config', file]), { status: 0, out: /No incident/ })
  const other = fastify()
  await other.listen({ host: '127.0.0.1', port: 0 })
  const gone = `127.0.0.1:${(other.server.address() as AddressInfo).port}`
  t.match(await fieldline(['incidents', '--collector', gone]), { status: 1, err: /HTTP 404|not found/i })
  await other.close()
  t.match(await fieldline(['incidents', '--collector', gone]), {
    status: 1,
    err: /does not answer at http:.*ECONNREFUSED[\s\S]*journalctl/,
  })
})

t.test('what makes no sense is a usage error', async t => {
  for (const [args, err] of [
    [['--not-a-problem'], /name the incident/],
    [[id, '--not-a-problem', '--take-back'], /not both/],
    [[id, '--note', 'a test'], /goes with --not-a-problem/],
    [['../etc'], /is no id/],
    [[id, id], /unexpected/],
    [['--al'], /did you mean --all/],
  ] as const)
    t.match(await fieldline(['incidents', ...args]), { status: 2, err })
})
