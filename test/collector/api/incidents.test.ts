import fastify from 'fastify'
import t, { type Test } from 'tap'
import { registerApi } from '../../../collector/api/server.ts'
import { incidentOf } from './an-incident.ts'
import { problems } from './document.ts'
import { FakeView } from './fake-view.ts'

const id = '0123456789ab'
const url = '/api/feedback'

async function api(t: Test) {
  const view = new FakeView()
  const rule = { rule: 'oil-hot', kind: 'threshold', severity: 'error', message: 'hot', evidence: {} } as const
  const finding = { ...rule, id: 'f'.repeat(22), subject: { node: 'press-gw' }, since: 1000 }
  view.setNode('press-gw')
  view.setIncident(incidentOf([finding]))
  const app = fastify()
  registerApi(app, view)
  t.teardown(() => app.close())
  await app.ready()
  const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object | string, headers = {}) => {
    const answer = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { view, ask, document: (await ask('GET', '/api/openapi.json')).body }
}

t.test('incidents are listed and one is told whole, as the document says', async t => {
  const { ask, document } = await api(t)
  const list = await ask('GET', '/api/incidents?open=true')
  t.match(list.body.incidents, [
    { id, until: null, common: null, cause: { ground: 'first', finding: { rule: 'oil-hot' } }, feedback: null },
  ])
  t.strictSame(problems(document, '/api/incidents', 200, list.body), [])
  const one = await ask('GET', `/api/incidents/${id}`)
  t.match(one.body, { id, timeline: [{ rule: 'oil-hot' }], evidence: [{ rule: 'oil-hot' }], more: false })
  t.strictSame(problems(document, '/api/incidents/{incident}', 200, one.body), [])
  t.match(await ask('GET', '/api/incidents/ffffffffffff'), { status: 404, body: { error: /no incident ffffffffffff/ } })
  t.match(await ask('GET', '/api/incidents/x'), { status: 400, body: { error: /twelve hexadecimal digits/ } })
})

t.test('"not a problem" is told, listed, and taken back', async t => {
  const { ask, document } = await api(t)
  const told = await ask('POST', url, { incident: id, note: 'summer' })
  t.match(told, { status: 200, body: { id, about: 'incident', note: 'summer', patterns: [{ node: 'press-gw' }] } })
  t.strictSame(problems(document, url, 200, told.body, 'application/json', 'post'), [])
  t.match((await ask('GET', `/api/incidents/${id}`)).body, { feedback: { note: 'summer' } })
  const list = await ask('GET', url)
  t.match(list.body.feedback, [{ id }])
  t.strictSame(problems(document, url, 200, list.body), [])
  const taken = await ask('DELETE', `${url}/${id}`)
  t.strictSame(problems(document, `${url}/{feedback}`, 200, taken.body, 'application/json', 'delete'), [])
  t.strictSame((await ask('GET', url)).body.feedback, [])
  t.match(await ask('DELETE', `${url}/${id}`), { status: 404, body: { error: /no feedback/ } })
})

t.test('what cannot be meant is refused', async t => {
  const { ask, view } = await api(t)
  const json = { 'content-type': 'application/json' }
  const wrong: readonly (readonly [what: string, payload: object | string, status: number, error: RegExp])[] = [
    ['neither', { note: 'x' }, 400, /give either incident or finding/],
    ['both', { incident: id, finding: 'f'.repeat(22) }, 400, /give either incident or finding/],
    ['a misspelt key', { incidents: id }, 400, /unknown parameter "incidents"; known are incident, finding, note/],
    ['no id', { incident: '../x' }, 400, /incident must match.*twelve hexadecimal digits/],
    ['a note too long', { incident: id, note: 'x'.repeat(501) }, 400, /note must NOT have more than 500/],
    ['no map', [], 400, /^what is sent must be object; it is JSON as/],
    ['no JSON', '{', 400, /JSON/],
    ['too much', JSON.stringify({ note: 'x'.repeat(20_000) }), 413, /too large/],
  ]
  for (const [what, payload, status, error] of wrong)
    t.match(await ask('POST', url, payload, json), { status, body: { error } }, what)
  t.equal((await ask('POST', url, 'incident=1', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415)
  t.equal((await ask('POST', url, JSON.stringify({ incident: id }), { 'content-type': 'text/plain' })).status, 415)
  t.strictSame(view.feedback(), [])
})

t.test('a page of another origin changes nothing', async t => {
  const { ask, view } = await api(t)
  const host = 'localhost:8180'
  const foreign = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:8181' },
    { origin: 'http://localhost:8180', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
  ]
  for (const headers of foreign) {
    const told = await ask('POST', url, { incident: id }, { host, ...headers })
    t.match(told, { status: 403, body: { error: /other origins/ } }, JSON.stringify(headers))
    t.equal((await ask('DELETE', `${url}/${id}`, undefined, { host, ...headers })).status, 403)
  }
  t.match(await ask('POST', url, { incident: id }, { host: 'evil.example' }), { status: 421 }, 'nor under another name')
  t.strictSame(view.feedback(), [])
  for (const headers of [{}, { origin: 'http://localhost:8180' }, { origin: 'https://localhost:8180' }])
    t.equal((await ask('POST', url, { incident: id }, { host, ...headers })).status, 200)
  const proxied = { host, origin: 'https://fieldline.example', 'sec-fetch-site': 'same-origin' }
  t.equal((await ask('POST', url, { incident: id }, proxied)).status, 200, 'a proxy may give it another name')
})
