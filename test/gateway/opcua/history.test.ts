import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import type { Sample } from '../../../core/model.ts'
import { type Simulator, simulator } from '../../../gateway/opcua/simulator.ts'
import { lineNode, type OnTheLine, onTheLine } from './on-the-line.ts'

const nodes = [
  { name: 'level', node: lineNode('Tank.Level') },
  { name: 'valve', node: lineNode('Valve.Position') },
]
const values = (samples: readonly Sample[]) => samples.toSorted((a, b) => a.time - b.time).map(({ value }) => value)
const times = (samples: readonly Sample[]) => samples.map(({ time }) => time)

/** Values a millisecond apart from now on; the server's clock is then past them. */
function record(server: Simulator, from: number, to: number): void {
  const now = Date.now() + server.ahead
  for (let n = from; n <= to; n++) server.set('Tank.Level', n / 100, new Date(now + n))
  server.ahead += to + 1
}

const expected = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => (from + n) / 100)

async function hasAll(source: OnTheLine, count: number): Promise<void> {
  await source.until(() => source.samples('level').length >= count)
}

t.test('what was recorded while the server was away is there afterwards, once, with its own times', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  const source = onTheLine(t, { url: server.url, nodes })
  await source.until(() => source.samples('valve').length > 0)
  await server.stop()
  await source.until(() => source.events('opcua.connection.down').length > 0)
  // More than one page of history.
  record(server, 1, 2500)
  await server.restart()
  await hasAll(source, 2501)
  server.set('Tank.Level', 77)
  await source.until(() => values(source.samples('level')).at(-1) === 77)
  const told = values(source.samples('level'))
  t.strictSame(told.slice(told.indexOf(0.01), told.indexOf(25) + 1), expected(1, 2500))
  t.equal(new Set(times(source.samples('level'))).size, source.samples('level').length)
})

t.test('what was recorded while the gateway was away is there afterwards', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  const keep = memoryKeep()
  const before = onTheLine(t, { url: server.url, nodes, keep })
  await before.until(() => before.samples('level').length > 0)
  await before.stop()
  record(server, 1, 50)
  const after = onTheLine(t, { url: server.url, nodes, keep })
  await hasAll(after, 50)
  t.strictSame(values(after.samples('level')), expected(1, 50))
})

t.test('what history does not give is told, with from and to', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  const source = onTheLine(t, { url: server.url, nodes, options: { history: { max_values: 1000 } } })
  await source.until(() => source.samples('valve').length > 0 && source.samples('level').length > 0)
  await server.stop()
  record(server, 1, 3000)
  server.set('Valve.Position', 51)
  await server.restart()
  await source.until(() => source.events('opcua.history.gap').length >= 2)
  const gaps = source.events('opcua.history.gap')
  t.match(
    gaps.find(({ body }) => JSON.stringify(body).includes('more than 1000 values')),
    { severity: 'warning', body: { nodes: [{ name: 'level', from: /^\d{4}-.*Z$/, to: /Z$/ }] } },
  )
  t.match(
    gaps.find(({ body }) => JSON.stringify(body).includes('"valve"')),
    { body: { reason: /^the server says Bad/ } },
  )
})

t.test('a server whose clock is wrong gives the same values, set right', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  server.ahead = 7_200_000
  server.clockAhead = 7_200_000
  await server.restart()
  const source = onTheLine(t, { url: server.url, nodes, options: { max_skew: '1h' } })
  await source.until(() => source.samples('level').length > 0)
  await server.stop()
  record(server, 1, 20)
  await server.restart()
  await hasAll(source, 22)
  t.strictSame(values(source.samples('level')).slice(1, 21), expected(1, 20))
  t.equal(new Set(times(source.samples('level'))).size, source.samples('level').length)
})
