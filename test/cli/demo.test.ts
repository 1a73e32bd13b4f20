import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { buildWeb } from '../../packaging/build-web.ts'
import { demo } from './demo-child.ts'

t.before(() => buildWeb('dist/web'))

/** Holds this port of the loopback; while another test's demo has it, waits until that one lets go. */
async function holding(port: number): Promise<Server> {
  for (;;) {
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      await wait(50)
    }
  }
}

t.test('the demo ends by itself with a summary whose last line is JSON, and nothing is lost or twice', async t => {
  const { lines, errors, ended } = demo(t, t.testdir(), '--for', '4s')
  t.equal(await ended, 0)
  t.strictSame(errors, [])
  t.match(lines[0], /PLC is simulated/)
  const sum = JSON.parse(lines.at(-1)!)
  t.ok(sum.read > 200, `${sum.read} samples were read`)
  t.match(sum, { committed: sum.read, lost: 0, duplicated: 0, findings: 0, incidents: 0, fault_to_incident_s: null })
  t.ok(sum.series > 50 && sum.p99_ms > 0, JSON.stringify(sum))
})

t.test('a fault that several rules find becomes one incident within seconds, and the summary says so', async t => {
  const { child, lines, errors, line, ended } = demo(t, t.testdir(), '--fault')
  await line(/simulated press: its relief valve sticks/)
  await line(/incident [0-9a-f]{12} {2}3 findings; likely first: press-pressure-high: press\.pressure is 23\d/)
  child.kill('SIGINT')
  t.equal(await ended, 0, errors.join(''))
  const sum = JSON.parse(lines.at(-1)!)
  t.match(sum, { lost: 0, duplicated: 0, findings: 3, incidents: 1 })
  t.ok(sum.fault_to_incident_s > 0, `${sum.fault_to_incident_s} s`)
  t.comment(`${sum.fault_to_incident_s} s from the fault to its incident`)
})

t.test('a fault of a scene that has none is a usage error', async t => {
  const { errors, ended } = demo(t, t.testdir(), '--scene', 'ward', '--fault')
  t.equal(await ended, 2)
  t.match(errors.join(''), /--fault goes with the press/)
})

t.test('Ctrl-C drains and ends in under three seconds, and what an earlier run kept is not counted again', async t => {
  const state = t.testdir()
  for (let run = 0; run < 2; run++) {
    const { child, lines, line, ended } = demo(t, state)
    await line(/The page is at/)
    await new Promise(resolve => setTimeout(resolve, 2500)) // as a person would look for a while
    const asked = performance.now()
    child.kill('SIGINT')
    t.equal(await ended, 0)
    t.ok(performance.now() - asked < 3000, `ended after ${Math.round(performance.now() - asked)} ms`)
    const sum = JSON.parse(lines.at(-1)!)
    t.match(sum, { lost: 0, duplicated: 0, committed: sum.read - sum.waiting })
  }
})

t.test('where its port is taken it says so and takes a free one; the page and its data are there', async t => {
  const taken = await holding(8180)
  t.teardown(() => taken.close())
  const { child, lines, line, ended } = demo(t, t.testdir())
  const url = /http:\S+/.exec(await line(/The page is at/))![0]
  t.notMatch(url, /:8180/)
  t.ok(lines.some(l => /Port 8180 is taken/.test(l)))
  const nodes = async (): Promise<{ name: string; simulated: boolean }[]> =>
    (await (await fetch(`${url}api/nodes`)).json()).nodes
  while ((await nodes()).length < 2) await new Promise(resolve => setTimeout(resolve, 100))
  t.ok((await nodes()).some(n => n.name === 'simulated-press' && n.simulated))
  t.match(await (await fetch(`${url}metrics`)).text(), /^fieldline_samples_committed_total [1-9]/m)
  child.kill('SIGINT')
  t.equal(await ended, 0)
})

t.test('demos that start at one moment share the ports out among themselves', async t => {
  const state = t.testdir()
  const all = [1, 2, 3].map(n => demo(t, `${state}/${n}`))
  const pages = await Promise.all(all.map(({ line }) => line(/The page is at/)))
  t.equal(new Set(pages).size, 3, pages.join(' '))
  for (const { child } of all) child.kill('SIGINT')
  for (const { ended, errors } of all) t.equal(await ended, 0, errors.join(''))
})

t.test('a second demo on the same folder says who holds it', async t => {
  const state = t.testdir()
  const first = demo(t, state)
  await first.line(/The page is at/)
  const second = demo(t, state)
  t.equal(await second.ended, 1)
  t.match(second.errors.join(''), /history\.db is in use by another collector/)
  first.child.kill('SIGINT')
  t.equal(await first.ended, 0)
})
