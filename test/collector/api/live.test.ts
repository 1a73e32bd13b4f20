import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import type { Tick } from '../../../collector/api/answers.ts'
import { registerApi } from '../../../collector/api/server.ts'
import { problems } from './document.ts'
import { FakeView } from './fake-view.ts'

async function served(t: Test, view: FakeView) {
  const app = fastify({ forceCloseConnections: true })
  registerApi(app, view)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return { app, url: `http://127.0.0.1:${port}/api/live` }
}

function follow(url: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get(url, { headers, agent: false }, resolve).on('error', reject))
}

/** The messages of a feed, until it ends. */
async function* ticks(response: IncomingMessage): AsyncGenerator<Tick> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    const parts = text.split('\n\n')
    text = parts.pop()!
    for (const part of parts) if (part.startsWith('data: ')) yield JSON.parse(part.slice(6))
  }
}

/** Waits for what `ready` says; the feed's end or tap's time limit makes it fail. */
async function until(feed: AsyncGenerator<Tick>, ready: (tick: Tick) => boolean): Promise<Tick> {
  for (;;) {
    const { value, done } = await feed.next()
    if (done) throw new Error('the feed ended before')
    if (ready(value)) return value
  }
}

t.test('a client hears the vitals at once, then each change once', async t => {
  const view = new FakeView()
  view.setNode('mill-1')
  const { app, url } = await served(t, view)
  const response = await follow(url)
  t.match(response.headers, { 'content-type': 'text/event-stream', 'x-content-type-options': 'nosniff' })
  const feed = ticks(response)
  t.match((await feed.next()).value, {
    vitals: { p99Ms: null, version: '0.1.0' },
    nodes: [],
    findings: [],
    incidents: [],
    events: [],
  })

  view.setNode('mill-1', { state: 'silent' })
  view.setNode('mill-1', { state: 'offline' })
  view.setFinding({
    id: 'f',
    rule: 'quiet',
    kind: 'silence',
    subject: { node: 'mill-1' },
    severity: 'error',
    since: 5,
    message: 'm',
    evidence: {},
  })
  view.addEvent({ node: 'mill-1', name: 'x.y', time: 1, severity: 'info', body: null, attributes: {} })
  const told = await until(feed, tick => tick.nodes.length > 0)
  t.match(told, {
    nodes: [{ name: 'mill-1', state: 'offline', openFindings: 1 }],
    findings: [{ id: 'f', until: null, series: null }],
    events: [{ name: 'x.y' }],
  })
  const document = (await app.inject('/api/openapi.json')).json()
  t.strictSame(problems(document, '/api/live', 200, told, 'text/event-stream'), [])
  t.equal(told.nodes.length, 1, 'two changes of a node within a second are one')
  t.match((await feed.next()).value, { nodes: [], findings: [], events: [] }, 'nothing is told twice')
  response.destroy()
})

t.test('nothing runs while nobody listens', async t => {
  const view = new FakeView()
  const { url } = await served(t, view)
  t.equal(view.listeners, 0)
  const one = await follow(url)
  const two = await follow(url)
  t.equal(view.listeners, 1, 'all clients share one subscription')
  one.destroy()
  two.destroy()
  await condition(() => view.listeners === 0)
})

t.test('the 65th client is turned away and told so', async t => {
  const { url } = await served(t, new FakeView())
  const clients = await Promise.all(Array.from({ length: 64 }, () => follow(url)))
  t.ok(clients.every(client => client.statusCode === 200))
  const late = await follow(url)
  t.equal(late.statusCode, 503)
  t.match(JSON.parse((await late.setEncoding('utf8').toArray()).join('')), { error: /too many clients/ })
  for (const client of clients) client.destroy()
})

t.test('a client that does not read is let go', async t => {
  const view = new FakeView()
  const { url } = await served(t, view)
  const response = await follow(url)
  response.pause()
  const body = 'x'.repeat(1 << 16)
  const flood = setInterval(() => {
    for (let n = 0; n < 100; n++)
      view.addEvent({ node: 'm', name: 'x', time: n, severity: 'info', body, attributes: {} })
  }, 50)
  t.teardown(() => clearInterval(flood))
  await condition(() => view.listeners === 0)
})

t.test('closing the server ends the feeds', async t => {
  const { app, url } = await served(t, new FakeView())
  const feed = ticks(await follow(url))
  await feed.next()
  await app.close()
  await t.rejects(
    until(feed, () => false),
    { message: 'the feed ended before' },
  )
})

t.test('a foreign host name gets no feed', async t => {
  const { url } = await served(t, new FakeView())
  t.equal((await follow(url, { host: 'evil.example' })).statusCode, 421)
})

async function condition(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !holds(); await new Promise(resolve => setTimeout(resolve, 10)))
    if (Date.now() > deadline) throw new Error('it did not come to be within 10 s')
}
