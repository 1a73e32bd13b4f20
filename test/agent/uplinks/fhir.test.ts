import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fhirUplink } from '../../../agent/uplinks/fhir.ts'
import { fhirOptions } from '../../../agent/uplinks/fhir-options.ts'
import type { Envelope } from '../../../core/envelope.ts'
import type { Observation } from '../../../core/model.ts'
import { Link } from '../../../core/mqtt.ts'
import { Place } from '../../../core/shape.ts'
import { mosquitto, until } from '../../brokers.ts'
import { messagesOf, ward } from '../../gateway/hl7/ward.ts'
import { faultsOf } from './fhir-rules.ts'
import { maker } from './made.ts'

const never = new AbortController().signal
const cases = join(import.meta.dirname, '../../gateway/hl7/ward')

type Resource = Record<string, unknown> & { readonly resourceType: string; readonly id: string }

function observed(name: string, options: object = {}): Observation {
  const here = ward(options)
  const all = messagesOf(readFileSync(join(cases, name, 'messages.hl7'), 'utf8')).map(m => here.take(m))
  return { samples: all.flatMap(o => o.samples), events: all.flatMap(o => o.events) }
}

/** Its events and its samples as an edge would send them. */
function envelopes({ samples, events }: Observation): readonly Envelope[] {
  const make = maker()
  return [...(events.length > 0 ? [make.events(events)] : []), ...(samples.length > 0 ? [make.samples(samples)] : [])]
}

interface Server {
  readonly url: string
  /** What is stored, by type and id. */
  readonly stored: Map<string, Resource>
  requests: number
  /** Answers a transaction; the usual one stores it. */
  answer(resources: readonly Resource[], response: ServerResponse): void
}

async function fhirServer(t: Test): Promise<Server> {
  const store = (resources: readonly Resource[], response: ServerResponse): void => {
    for (const resource of resources) made.stored.set(`${resource.resourceType}/${resource.id}`, resource)
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end('{"resourceType":"Bundle"}')
  }
  const made: Server = { url: '', stored: new Map(), requests: 0, answer: store }
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk as Buffer)
    made.requests++
    const bundle = JSON.parse(Buffer.concat(chunks).toString())
    t.match(bundle, { resourceType: 'Bundle', type: 'transaction' })
    for (const { resource, request, fullUrl } of bundle.entry) {
      t.same(request, { method: 'PUT', url: `${resource.resourceType}/${resource.id}` })
      t.equal(fullUrl, `${made.url}/${request.url}`)
    }
    made.answer(
      bundle.entry.map((e: { resource: Resource }) => e.resource),
      response,
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return Object.assign(made, { url: `http://127.0.0.1:${port}/fhir` })
}

function uplink(t: Test, options: object) {
  const place = new Place()
  const read = fhirOptions.read(options, place)
  t.same(place.problems, [])
  const made = fhirUplink.open(read, { node: 'gw-1', spool: 'spool1' })
  t.teardown(() => made.close())
  return made
}

t.test('all that a ward tells is valid R4', async t => {
  for (const name of readdirSync(cases)) {
    const server = await fhirServer(t)
    await uplink(t, { url: server.url }).send(envelopes(observed(name)), never)
    for (const [at, resource] of server.stored) t.same(faultsOf(resource), [], `${name}: ${at}`)
  }
})

t.test('a monitor’s message becomes a device and its observations', async t => {
  const server = await fhirServer(t)
  const delivery = await uplink(t, { url: server.url }).send(envelopes(observed('pcd-01-two-channels')), never)
  t.same([...delivery.committed.values()], [1, 1])
  t.same(delivery.refused, [])
  const all = [...server.stored.values()]
  t.match(
    all.find(r => r.resourceType === 'Device'),
    {
      status: 'active',
      identifier: [{ value: '0080A1FFFE00AB12:M8001' }],
      location: { identifier: { value: 'W3/304/2' } },
    },
  )
  const device = all.find(r => r.resourceType === 'Device')!.id
  t.match(
    all.find(r => JSON.stringify(r).includes('"150021"')),
    {
      status: 'final',
      code: { coding: [{ system: 'urn:iso:std:iso:11073:10101', code: '150021' }] },
      subject: { type: 'Patient', identifier: { value: /^20261101-/ } },
      effectiveDateTime: '2026-11-26T09:55:00.000Z',
      valueQuantity: { value: 184, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
      device: { reference: `Device/${device}` },
    },
  )
})

t.test('sent again, the same is written again and nothing twice', async t => {
  const server = await fhirServer(t)
  const made = uplink(t, { url: server.url, bundle: 2 })
  const batch = envelopes(observed('laboratory'))
  await made.send(batch, never)
  const before = JSON.stringify([...server.stored].sort())
  await made.send(batch, never)
  await uplink(t, { url: server.url }).send(batch, never)
  t.equal(JSON.stringify([...server.stored].sort()), before)
})

t.test('a withdrawn value is the same observation, entered in error', async t => {
  const server = await fhirServer(t)
  const made = uplink(t, { url: server.url })
  const here = ward()
  const value = (status: string) =>
    `MSH|^~\\&|CMS|W3|||20261126100000+0000||ORU^R01|1|P|2.6\nOBR|1|A|A|x|||20261126095958+0000\nOBX|1|NM|150344^MDC_TEMP^MDC|1.1.1.1|36.8|268192^MDC_DIM_DEGC^MDC|||||${status}`
  await made.send(envelopes(here.take(value('F'))), never)
  t.match([...server.stored.values()], [{ status: 'final', valueQuantity: { value: 36.8 } }])
  await made.send(envelopes({ samples: [], events: here.take(value('W')).events.slice(0, 1) }), never)
  t.match([...server.stored.values()], [{ status: 'entered-in-error' }])
  t.equal(server.stored.size, 1)
})

t.test('what is found in several patients at one time is an observation each', async t => {
  const server = await fhirServer(t)
  const here = ward()
  const told = [`PID|||1001^^^HOSP^MR`, `PID|||1002^^^HOSP^MR`, 'PV1||I|W3^304^1', 'PV1||I|W3^304^2'].map((about, n) =>
    here.take(
      `MSH|^~\\&|LAB|HOSP|||20261126100000+0000||ORU^R01|${n}|P|2.5\n${about}\nOBR|1|A|B|x|||202611260959+0000\nOBX|1|NM|2345-7^Glucose^LN||${80 + n}|mg/dL|||||F`,
    ),
  )
  await uplink(t, { url: server.url }).send(envelopes({ samples: told.flatMap(o => o.samples), events: [] }), never)
  const values = [...server.stored.values()].map(r => (r.valueQuantity as { readonly value: number }).value)
  t.same(values.sort(), [80, 81, 82, 83])
})

t.test('one resource that the server will not have is told, and the others are there', async t => {
  const server = await fhirServer(t)
  const store = server.answer
  server.answer = (resources, response) => {
    if (resources.some(r => JSON.stringify(r).includes('150022'))) response.writeHead(422).end('{"patient":"x"}')
    else store(resources, response)
  }
  const delivery = await uplink(t, { url: server.url }).send(envelopes(observed('pcd-01-two-channels')), never)
  t.same([...delivery.committed.values()], [1, 1])
  t.match(delivery.refused, [{ seq: 1, reason: /^1 of \d+ resources: Observation refused: HTTP 422$/ }])
  t.equal([...server.stored.keys()].filter(k => k.startsWith('Observation/')).length, 4)
})

t.test('while the server cannot take it, the envelope stays ours', async t => {
  const server = await fhirServer(t)
  const store = server.answer
  const batch = envelopes(observed('pcd-01-two-channels')).slice(1)
  const made = uplink(t, { url: server.url })
  for (const status of [401, 404, 500, 503]) {
    server.answer = (_, response) => void response.writeHead(status).end()
    await t.rejects(made.send(batch, never), { message: new RegExp(`answers HTTP ${status}`) })
  }
  server.answer = store
  t.same([...(await made.send(batch, never)).committed.values()], [1])
})

t.test('readings that are nobody’s observations are passed over', async t => {
  const server = await fhirServer(t)
  const series = { name: 'system.cpu.time', unit: 's', kind: 'counter', attributes: { device: 'eth0' } } as const
  const delivery = await uplink(t, { url: server.url }).send(
    envelopes({ samples: [{ series, time: 1e12, value: 1 }], events: [] }),
    never,
  )
  t.same([...delivery.committed.values()], [1])
  t.equal(server.requests, 0)
})

t.test('over MQTT each resource is a message, delivered when the broker has acknowledged it', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const got: { readonly topic: string; readonly resource: Resource }[] = []
  const brokers = [broker.url]
  const link = new Link({
    options: { brokers, username: undefined, password_file: undefined, ca: undefined, cert: undefined, key: undefined },
    clientId: 'reader',
    subscribe: ['ward/fhir/#'],
    deliver: (topic, payload) => void got.push({ topic, resource: JSON.parse(payload.toString()) }),
  })
  t.teardown(() => link.close())
  await link.ready(5000, never)
  const delivery = await uplink(t, { brokers, topic: 'ward/fhir' }).send(
    envelopes(observed('pcd-01-two-channels')),
    never,
  )
  t.same([...delivery.committed.values()], [1, 1])
  await until('all resources have come', () => got.length >= 6)
  t.same(new Set(got.map(g => g.topic)), new Set(['ward/fhir/gw-1/Observation', 'ward/fhir/gw-1/Device']))
  for (const { resource } of got) t.same(faultsOf(resource), [])
})

t.test('a configuration names a server or brokers, and not both', async t => {
  const faults = (options: object): readonly string[] => {
    const place = new Place()
    fhirOptions.read(options, place)
    return place.problems.map(p => p.message)
  }
  t.match(faults({}), [/name a FHIR server by url, or brokers/])
  t.match(faults({ url: 'http://127.0.0.1/fhir', brokers: ['mqtt://127.0.0.1'] }), [/name a FHIR server/])
  t.match(faults({ url: 'http://user:secret@127.0.0.1/fhir' }), [/without user and password/])
})
