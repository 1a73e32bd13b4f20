import fastify from 'fastify'
import t, { type Test } from 'tap'
import { registerApi, routerOptions } from '../../../collector/api/server.ts'
import { disk } from './disks.ts'
import { problems } from './document.ts'
import { FakeView } from './fake-view.ts'

const start = 1_800_000_000_000

async function api(t: Test, view: FakeView) {
  const app = fastify({ routerOptions })
  registerApi(app, view)
  t.teardown(() => app.close())
  await app.ready()
  const get = async (url: string, headers = {}) => {
    const answer = await app.inject({ url, headers })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() }
  }
  return { app, get }
}

/** A host, a simulated PLC behind a gateway, two findings and an event. */
function plant(): FakeView {
  const view = new FakeView()
  view.setNode('mill-1', {
    attributes: { 'host.name': 'mill-1', cores: 4 },
    firstSeen: start,
    lastSeen: start + 60_000,
  })
  view.setNode('press-gw', { simulated: true, state: 'silent', firstSeen: start, lastSeen: start })
  const load = view.addSeries('mill-1', 'system.cpu.load_average.1m', '{thread}', 'gauge')
  const bytes = view.addSeries('mill-1', 'system.network.io', 'By', 'counter', { 'network.interface.name': 'eth0' })
  const oil = view.addSeries('press-gw', 'press.oil.temperature', 'Cel', 'gauge', { simulated: true })
  for (let n = 0; n < 60; n++) {
    view.append(load, start + n * 1000, n / 4)
    view.append(bytes, start + n * 1000, n * 5000)
    view.append(oil, start + n * 1000, 40.1)
  }
  const rule = { rule: 'oil-hot', kind: 'threshold', severity: 'warning', message: 'oil is hot' } as const
  const series = view.seriesById(oil)!.series
  view.setFinding({
    ...rule,
    id: 'b',
    subject: { node: 'press-gw', series },
    seriesId: oil,
    since: start,
    evidence: { above: 40, at: 'x' },
  })
  view.setFinding({ ...rule, id: 'a', subject: { node: 'mill-1' }, since: start + 5, until: start + 9, evidence: {} })
  view.addEvent({
    node: 'mill-1',
    name: 'fieldline.modbus.down',
    time: start,
    severity: 'error',
    body: { tries: [1, null] },
    attributes: {},
  })
  const counts = { reallocated: 8 }
  const told = { risk: 'warning', probability: 0.4, counts, series: [view.seriesById(load)!] } as const
  view.addDisk(disk('wwn-0x1', start, { ...told, node: 'mill-1' }))
  view.addDisk(disk('/dev/sda sat@press-gw', start, { risk: null, probability: null, node: 'press-gw' }))
  return view
}

t.test('nodes are listed with their state, and one is told by name', async t => {
  const { get } = await api(t, plant())
  const { body } = await get('/api/nodes')
  t.match(body.nodes, [
    { name: 'mill-1', state: 'up', simulated: false, openFindings: 0, attributes: { cores: 4 } },
    { name: 'press-gw', state: 'silent', simulated: true, openFindings: 1 },
  ])
  t.strictSame((await get('/api/nodes/mill-1')).body, body.nodes[0])
  t.match(await get('/api/nodes/lathe'), { status: 404, body: { error: 'no node lathe has ever reported' } })
})

t.test('series are found by node and by name, and a cut list says so', async t => {
  const { get } = await api(t, plant())
  const all = (await get('/api/series?node=mill-1')).body
  t.match(all, {
    more: false,
    series: [
      { id: 1, unit: '{thread}', kind: 'gauge' },
      { id: 2, attributes: { 'network.interface.name': 'eth0' } },
    ],
  })
  const named = (await get('/api/series?name=press.oil.temperature')).body
  t.match(named.series, [{ id: 3, simulated: true, firstTime: start, lastTime: start + 59_000 }])
  t.match((await get('/api/series?limit=2')).body, { more: true, series: [{ id: 1 }, { id: 2 }] })
})

t.test('a query gives columns of equal buckets, empty ones null', async t => {
  const { get } = await api(t, plant())
  const { body } = await get(`/api/query?series=1&from=${start}&to=${start + 80_000}&buckets=4`)
  t.strictSame(body, {
    from: start,
    to: start + 80_000,
    step: 20_000,
    unknown: [],
    times: [start, start + 20_000, start + 40_000, start + 60_000],
    series: [{ id: 1, min: [0, 5, 10, null], max: [4.75, 9.75, 14.75, null], mean: [2.375, 7.375, 12.375, null] }],
  })
})

t.test('a counter is asked for its rate, and a gauge has none', async t => {
  const { get } = await api(t, plant())
  const window = `from=${start}&to=${start + 60_000}&buckets=2&as=rate`
  t.strictSame((await get(`/api/query?series=2&${window}`)).body.series, [{ id: 2, rate: [5000, 5000] }])
  const refused = await get(`/api/query?series=2,1&${window}`)
  t.match(refused, { status: 400, body: { error: 'series 1 is a gauge and has no rate; ask for it as=value' } })
})

t.test('ids without data are told apart, and the rest is answered once each', async t => {
  const { get } = await api(t, plant())
  const { body } = await get(`/api/query?series=1,99,1&from=${start}&to=${start + 1000}&buckets=1`)
  t.match(body, { unknown: [99], series: [{ id: 1 }] })
  t.equal(body.series.length, 1)
})

t.test('findings are listed open ones first and can be narrowed', async t => {
  const { get } = await api(t, plant())
  const ids = async (url: string) => (await get(url)).body.findings.map((f: { id: string }) => f.id)
  t.strictSame(await ids('/api/findings'), ['b', 'a'])
  t.strictSame(await ids('/api/findings?open=true'), ['b'])
  t.strictSame(await ids('/api/findings?open=false'), ['a'])
  t.strictSame(await ids('/api/findings?node=mill-1'), ['a'])
  t.strictSame(await ids('/api/findings?limit=1'), ['b'])
  t.match((await get('/api/findings')).body.findings, [
    {
      simulated: true,
      until: null,
      series: { id: 3, name: 'press.oil.temperature' },
      evidence: { above: 40, at: 'x' },
    },
    { simulated: false, until: start + 9, series: null },
  ])
})

t.test('events keep their body whole and can be narrowed to a window', async t => {
  const { get } = await api(t, plant())
  t.match((await get('/api/events')).body.events, [{ node: 'mill-1', body: { tries: [1, null] }, severity: 'error' }])
  t.strictSame((await get(`/api/events?from=${start + 1}`)).body.events, [])
  t.strictSame((await get('/api/events?node=press-gw')).body.events, [])
})

const window = `from=${start}&to=${start + 1}`
const many = Array.from({ length: 501 }, (_, n) => n + 1).join(',')
const mistakes: readonly (readonly [what: string, url: string, error: RegExp])[] = [
  ['no ids', `/api/query?${window}`, /^series is missing; it is 1 to 500 series ids/],
  ['ids that are no numbers', `/api/query?series=1,x&${window}`, /^series must match.*it is 1 to 500 series ids/],
  ['too many ids', `/api/query?series=${many}&${window}`, /^series must match/],
  ['an id too long', `/api/query?series=1234567890123456&${window}`, /^series must match/],
  ['no window', '/api/query?series=1&from=1', /^to is missing; it is milliseconds/],
  ['an empty window', '/api/query?series=1&from=5&to=5', /^from must be before to, got from 5 and to 5$/],
  ['a window backwards', '/api/events?from=6&to=5', /^from must be before to, got from 6 and to 5$/],
  ['a time before 1970', '/api/query?series=1&from=-1&to=5', /^from must be >= 0; it is milliseconds/],
  ['a time in words', '/api/events?from=yesterday', /^from must be integer; it is milliseconds/],
  ['a time out of mind', '/api/events?to=9999999999999999', /^to must be <= 7258118400000/],
  [
    'no buckets',
    `/api/query?series=1&${window}&buckets=0`,
    /^buckets must be >= 1; it is a whole number from 1 to 2000/,
  ],
  ['too many buckets', `/api/query?series=1&${window}&buckets=2001`, /^buckets must be <= 2000/],
  ['half a bucket', `/api/query?series=1&${window}&buckets=1.5`, /^buckets must be integer/],
  [
    'an unknown reading',
    `/api/query?series=1&${window}&as=median`,
    /^as must be equal to one of.*it is value .* or rate/,
  ],
  ['a limit too high', '/api/findings?limit=1001', /^limit must be <= 1000/],
  ['a limit twice', '/api/findings?limit=1&limit=2', /^limit must be integer/],
  ['open in words', '/api/findings?open=maybe', /^open must be boolean; it is true for open ones only/],
  ['a node name that is a path', '/api/nodes/..%2Fetc', /^node must match.*it is a node name/],
  ['a name too long', `/api/series?name=${'n'.repeat(256)}`, /^name must NOT have more than 255 characters/],
  ['a misspelt key', '/api/series?nodes=a', /^unknown parameter "nodes"; known are node, name, limit$/],
  ['a key where none belongs', '/api/nodes?node=a', /^unknown parameter "node"; this address takes none$/],
]

t.test('drives are listed with their sum, and one is told whole, by whatever name', async t => {
  const { get } = await api(t, plant())
  const { body } = await get('/api/disks')
  t.match(body, { more: false, summary: { drives: 2, scored: 1, unknown: 1, warning: 1 } })
  t.match(body.disks, [
    { id: 'wwn-0x1', probability: 0.4, risk: 'warning', reasons: [/8 reallocated/], wear: null },
    { id: '/dev/sda sat@press-gw', known: false, probability: null, risk: null },
  ])
  t.match((await get('/api/disks?limit=1')).body, { more: true, disks: { length: 1 } })
  t.match((await get('/api/disks?node=press-gw')).body.disks, [{ node: 'press-gw' }])
  const whole = (await get(`/api/disks/${encodeURIComponent('/dev/sda sat@press-gw')}`)).body
  t.match(whole, { id: '/dev/sda sat@press-gw', counts: [], scores: [] })
  t.match((await get('/api/disks/wwn-0x1')).body, {
    counts: [{ name: 'reallocated', value: 8, growth: [{ by: 4 }] }],
    series: [{ name: 'system.cpu.load_average.1m', node: 'mill-1' }],
  })
  const long = `${'/'.repeat(200)}@${'n'.repeat(99)}`
  t.match(await get(`/api/disks/${encodeURIComponent(long)}`), {
    status: 404,
    body: { error: `no drive ${long} was ever told of` },
  })
  t.match(await get('/api/disks/none'), { status: 404, body: { error: /no drive none/ } })
})

t.test('bad input is answered with 400, what was wrong and what is allowed', async t => {
  const { get } = await api(t, plant())
  for (const [what, url, error] of mistakes) {
    const { status, body } = await get(url)
    t.equal(status, 400, what)
    t.match(body, { error }, what)
    t.strictSame(Object.keys(body), ['error'])
  }
})

t.test('a failing view is a 500 that says what failed', async t => {
  const view = plant()
  view.nodes = () => {
    throw new Error('history.db is locked')
  }
  const { get } = await api(t, view)
  t.match(await get('/api/nodes'), {
    status: 500,
    body: { error: 'the collector failed at this: history.db is locked' },
  })
})

t.test('a foreign host name is refused on loopback, and no other origin may read', async t => {
  const { get } = await api(t, plant())
  for (const host of ['evil.example', 'localhost.evil.example:80', '127.0.0.1.nip.io', '10.0.0.1:8180'])
    t.match(
      await get('/api/nodes', { host }),
      { status: 421, body: { error: /localhost, 127.0.0.1 and \[::1\] only/ } },
      host,
    )
  for (const host of ['localhost:8180', '127.0.0.1', '[::1]:8180']) {
    const { status, headers } = await get('/api/nodes', { host, origin: 'http://evil.example' })
    t.equal(status, 200)
    t.equal(headers['access-control-allow-origin'], undefined)
    t.match(headers['content-security-policy'], /default-src 'none'; script-src 'self'/)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
  }
})

t.test('every real answer is what the OpenAPI document says', async t => {
  const { get } = await api(t, plant())
  const document = (await get('/api/openapi.json')).body
  const asked = [
    '/api/nodes',
    '/api/nodes/mill-1',
    '/api/series',
    `/api/query?series=1,2,99&from=${start}&to=${start + 90_000}`,
    `/api/query?series=2&from=${start}&to=${start + 90_000}&as=rate`,
    '/api/findings',
    '/api/events',
    '/api/disks',
    '/api/disks/wwn-0x1',
    '/api/incidents',
    '/api/feedback',
    '/api/openapi.json',
    '/healthz',
  ]
  const covered = new Set<string>()
  for (const url of asked) {
    const path = url.replace(/\?.*/, '').replace('/mill-1', '/{node}').replace('/wwn-0x1', '/{disk}')
    const { status, body } = await get(url)
    t.equal(status, 200, url)
    t.strictSame(problems(document, path, 200, body), [], url)
    covered.add(path)
  }
  t.strictSame(problems(document, '/api/nodes/{node}', 404, (await get('/api/nodes/x')).body), [])
  t.strictSame(problems(document, '/api/series', 400, (await get('/api/series?x=1')).body), [])
  t.strictSame(
    Object.keys(document.paths).filter(path => !covered.has(path)),
    ['/api/incidents/{incident}', '/api/feedback/{feedback}', '/api/live'],
    'every other route was asked (those of incidents in their own test)',
  )
})

t.test('the document would notice an answer that lacks or adds something', async t => {
  const { get } = await api(t, plant())
  const document = (await get('/api/openapi.json')).body
  const { body } = await get('/api/nodes')
  t.not(problems(document, '/api/nodes', 200, { nodes: [{ ...body.nodes[0], extra: 1 }] }).length, 0)
  t.not(problems(document, '/api/nodes', 200, { nodes: [{ ...body.nodes[0], lastSeen: null }] }).length, 0)
  t.not(problems(document, '/healthz', 200, {}).length, 0)
})
