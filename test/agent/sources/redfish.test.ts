import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { pathOf } from '../../../agent/redfish/client.ts'
import { kinds, readers } from '../../../agent/redfish/read.ts'
import { redfish } from '../../../agent/sources/redfish.ts'
import type { Observation } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { peer } from '../../peers.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'

type Bodies = Record<string, unknown>
type Handle = (request: IncomingMessage, response: ServerResponse) => void

const folder = join(import.meta.dirname, 'redfish')
const recorded = (): Bodies => JSON.parse(readFileSync(join(folder, 'bmc.json'), 'utf8')) as Bodies

interface Bmc {
  readonly url: string
  readonly ca: string
  readonly fingerprint: string
  readonly password: string
  /** Method and path of what was asked. */
  readonly asked: string[]
}

/** A BMC over HTTPS: bodies by path, as JSON or, texts, as they are; `handle` answers before them. */
async function bmc(t: Test, bodies: Bodies, handle?: Handle): Promise<Bmc | undefined> {
  if (peer(t, 'openssl') === undefined) return undefined
  const at = t.testdir({ 'san.cnf': '[e]\nsubjectAltName=IP:127.0.0.1', password: 'secret\n' })
  const openssl = (...args: string[]) =>
    execFileSync('/usr/bin/openssl', args, { cwd: at, stdio: ['ignore', 'pipe', 'ignore'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key', '-out', 'crt']
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=bmc', '-addext', 'subjectAltName=IP:127.0.0.1')
  const [, fingerprint] = openssl('x509', '-in', 'crt', '-noout', '-fingerprint', '-sha256')
    .toString()
    .trim()
    .split('=')
  const asked: string[] = []
  const files = { key: readFileSync(join(at, 'key')), cert: readFileSync(join(at, 'crt')) }
  const server = createServer(files, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    handle?.(request, response)
    if (response.writableEnded || response.destroyed || request.headers['x-hold']) return
    const body = bodies[request.url!]
    response.statusCode = body === undefined ? 404 : 200
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, ca: join(at, 'crt'), fingerprint: fingerprint!, password: join(at, 'password'), asked }
}

function options(raw: unknown): Parameters<typeof redfish.open>[0] {
  const place = new Place()
  const read = redfish.options.read(raw, place)
  if (place.problems.length > 0) throw new Error(place.problems.map(p => p.message).join('; '))
  return read
}

const problems = (raw: unknown): string[] => {
  const place = new Place()
  redfish.options.read(raw, place)
  return place.problems.map(p => p.message)
}

/** Reads `count` times, on a clock that passes by itself. */
async function reads(raw: object, count = 1, between: (n: number) => void = () => {}, keep: Keep = memoryKeep()) {
  const said: string[] = []
  const told: Observation[] = []
  const stop = new AbortController()
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  const running = redfish.open(options(raw), { name: 'redfish', host: fakeHost('/'), say, keep })
  await running.run(async observation => {
    told.push(observation)
    if (told.length === count) stop.abort()
    else between(told.length)
  }, stop.signal)
  return { told, said }
}

function values({ samples }: Observation): Record<string, number> {
  return Object.fromEntries(
    samples
      .filter(s => !s.series.name.startsWith('fieldline.'))
      .map(({ series: { name, unit, kind, attributes }, value }) => {
        const pairs = Object.entries(attributes).map(([key, word]) => `${key}=${word}`)
        return [`${kind} ${name}{${pairs.join(',')}} ${unit}`, value]
      }),
  )
}

/** By metric, and what tells its series apart but for the path. */
function short({ samples }: Observation): Record<string, number> {
  return Object.fromEntries(
    samples.map(({ series: { name, attributes }, value }) => {
      const { 'server.address': _, 'hw.id': id, ...rest } = attributes
      const about = Object.entries(rest).filter(([key]) => key !== 'hw.sensor_location' && key !== 'hw.serial_number')
      return [[name, ...about.map(([, word]) => word)].join(' ') || String(id), value]
    }),
  )
}

const success = (o: Observation): number | undefined =>
  o.samples.find(s => s.series.name === 'fieldline.source.success')?.value

t.test('a BMC with resources old and new is read as expected, and only where its links lead', async t => {
  const it = await bmc(t, recorded())
  if (it === undefined) return
  const { told, said } = await reads({ url: it.url, ca: it.ca })
  const expected = join(folder, 'expected.json')
  t.strictSame(values(told[0]!), JSON.parse(readFileSync(expected, 'utf8')))
  t.strictSame(said, ['warning redfish 127.0.0.1 /redfish/v1/Chassis/gone: GET /redfish/v1/Chassis/gone: status 404'])
  t.notOk(it.asked.some(q => /elsewhere|passwd|Journal|POST/.test(q)))
  t.equal(
    new Set(told[0]!.samples.map(s => JSON.stringify(s.series))).size,
    told[0]!.samples.length,
    'each series once',
  )
})

t.test('it tells what it declares, and nothing else', async t => {
  const it = await bmc(t, recorded())
  if (it === undefined) return
  const { told } = await reads({ url: it.url, ca: it.ca })
  const device = told[0]!.samples.filter(s => !s.series.name.startsWith('fieldline.'))
  for (const { series } of device) {
    const declared = redfish.metrics!.find(m => m.name === series.name)
    t.match({ unit: declared?.unit, kind: declared?.kind }, { unit: series.unit, kind: series.kind }, series.name)
    const strange = Object.keys(series.attributes).filter(key => !declared?.attributes.includes(key))
    t.strictSame(strange, [], series.name)
  }
  const missing = redfish.metrics!.filter(m => device.every(s => s.series.name !== m.name)).map(m => m.name)
  t.strictSame(missing, [])
})

t.test('what changes seldom is asked every five minutes, and series stay the same objects', async t => {
  const it = await bmc(t, recorded())
  if (it === undefined) return
  const { told } = await reads({ url: it.url, ca: it.ca }, 7)
  const drives = told.map(o => o.samples.some(s => s.series.name === 'hw.physical_disk.size'))
  t.strictSame(drives, [true, false, false, false, false, true, false])
  const power = told.map(o => o.samples.find(s => s.series.name === 'hw.host.power')!.series)
  t.ok(power.every(s => s === power[0]))
})

t.test('broken answers are their own resource’s alone', async t => {
  const whole = recorded()
  const broken = ['', '{', '[]', '"x"', 'null', '<html>', '\0\xff', '{"Temperatures":{"a":1},"Members":7,"Power":null}']
  for (const path of Object.keys(whole).filter(p => p !== '/redfish/v1/')) {
    const body = broken[Object.keys(whole).indexOf(path) % broken.length]
    const it = await bmc(t, { ...whole, [path]: body })
    if (it === undefined) return
    const { told, said } = await reads({ url: it.url, ca: it.ca })
    const truth = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, number>
    const now = values(told[0]!)
    t.equal(success(told[0]!), 1, `${path}: ${said.join('; ')}`)
    t.strictSame(
      Object.keys(now).filter(key => now[key] !== truth[key]),
      [],
      path,
    )
    t.ok(Object.keys(now).length > 10, path)
  }
})

t.test('a service that is none fails alone, saying so once, and works again', async t => {
  const bodies = recorded()
  const root = bodies['/redfish/v1/']
  bodies['/redfish/v1/'] = '<html>'
  const it = await bmc(t, bodies)
  if (it === undefined) return
  const { told, said } = await reads({ url: it.url, ca: it.ca }, 3, n => {
    if (n === 2) bodies['/redfish/v1/'] = root
  })
  t.strictSame(told.map(success), [0, 0, 1])
  t.equal(said.filter(text => /\/redfish\/v1\/: the answer is not JSON/.test(text)).length, 1)
})

t.test('a password goes to nobody but the BMC: the authority or the fingerprint must be right', async t => {
  const it = await bmc(t, recorded())
  if (it === undefined) return
  const login = { url: it.url, username: 'root', password_file: it.password }
  const other = it.fingerprint.replace(/^../, byte => (byte === '00' ? '11' : '00'))
  for (const wrong of [login, { ...login, fingerprint: other }]) {
    const { told, said } = await reads(wrong)
    t.equal(success(told[0]!), 0)
    t.match(said[0], /self-signed certificate|its certificate has the SHA-256 fingerprint/)
  }
  t.strictSame(it.asked, [])
  for (const right of [
    { ...login, ca: it.ca },
    { ...login, fingerprint: it.fingerprint.toLowerCase().replaceAll(':', '') },
  ]) {
    t.equal(success((await reads(right)).told[0]!), 1)
  }
})

t.test('user and password are sent as basic authentication, read anew from their file', async t => {
  let seen: string | undefined
  const it = await bmc(t, recorded(), ({ headers }) => {
    seen = headers.authorization
  })
  if (it === undefined) return
  const change = (): void => writeFileSync(it.password, 'changed')
  const words: string[] = []
  await reads({ url: it.url, ca: it.ca, username: 'root', password_file: it.password }, 2, () => {
    words.push(Buffer.from(seen!.slice(6), 'base64').toString())
    change()
  })
  words.push(Buffer.from(seen!.slice(6), 'base64').toString())
  t.strictSame(words, ['root:secret', 'root:changed'])
})

t.test('a session is begun once, again when it ran out, and ended', async t => {
  const valid = new Set<string>()
  const sessions = '/redfish/v1/SessionService/Sessions'
  let count = 0
  const handle: Handle = (request, response) => {
    const token = request.headers['x-auth-token']
    if (request.method === 'POST' && request.url === sessions) {
      valid.add(`token ${++count}`)
      response.writeHead(201, { 'x-auth-token': `token ${count}`, location: `${sessions}/${count}` }).end('{}')
    } else if (!valid.has(String(token))) response.writeHead(401).end()
    else if (request.method === 'DELETE') valid.delete(String(token))
  }
  const it = await bmc(t, recorded(), handle)
  if (it === undefined) return
  const login = { url: it.url, ca: it.ca, username: 'root', password_file: it.password, auth: 'session' }
  const { told, said } = await reads(login, 3, n => {
    if (n === 1) valid.clear()
  })
  t.strictSame(told.map(success), [1, 1, 1], said.join())
  t.equal(it.asked.filter(q => q === `POST ${sessions}`).length, 2)
  while (valid.size > 0) await new Promise(resolve => setTimeout(resolve, 5))
  t.equal(it.asked.at(-1), `DELETE ${sessions}/2`)
})

t.test('a refused login is one failure, not one for each resource', async t => {
  const it = await bmc(t, recorded(), (_, response) => response.writeHead(401).end())
  if (it === undefined) return
  const { told, said } = await reads({
    url: it.url,
    ca: it.ca,
    username: 'a',
    password_file: it.password,
    auth: 'session',
  })
  t.equal(success(told[0]!), 0)
  t.match(said, [/POST \/redfish\/v1\/SessionService\/Sessions: status 401/])
  t.equal(it.asked.length, 1)
})

t.test('a redirection by a slash is followed, one that leads away is not', async t => {
  const bodies = recorded()
  const it = await bmc(t, bodies, ({ url }, response) => {
    if (url === '/redfish/v1/Chassis/old') response.writeHead(308, { location: `${url}/` }).end()
    if (url === '/redfish/v1/Chassis/new') response.writeHead(302, { location: 'https://elsewhere.example/' }).end()
  })
  bodies['/redfish/v1/Chassis/old/'] = bodies['/redfish/v1/Chassis/old']
  if (it === undefined) return
  const { told, said } = await reads({ url: it.url, ca: it.ca })
  t.equal(short(told[0]!)['hw.host.power Server'], 221)
  t.ok(said.some(text => /Chassis\/new: status 302/.test(text)))
})

t.test('one that floods, hangs or breaks off costs its resource, in a bounded time', async t => {
  const it = await bmc(t, recorded(), (request, response) => {
    if (request.url === '/redfish/v1/Chassis/old/Thermal') response.end('x'.repeat(5 * 1024 ** 2))
    if (request.url === '/redfish/v1/Chassis/old/Power') request.headers['x-hold'] = '1'
    if (request.url === '/redfish/v1/Drives/0') request.socket.destroy()
  })
  if (it === undefined) return
  const { told, said } = await reads({ url: it.url, ca: it.ca, timeout: '500ms' })
  t.equal(success(told[0]!), 1)
  t.equal(short(told[0]!)['hw.host.power Environment'], 512.5)
  t.match(said.sort(), [
    /Chassis\/gone/,
    /Power: .*no answer within 0.5 s/,
    /Thermal: .*larger than 4194304 bytes/,
    /Drives\/0: /,
  ])
})

t.test('entries of the log are told once, over restarts too, and what was there at first is no news', async t => {
  const bodies = recorded()
  const it = await bmc(t, bodies)
  if (it === undefined) return
  const keep = memoryKeep()
  const page = bodies['/redfish/v1/Systems/1/LogServices/SEL/Entries?$skip=1'] as { Members: object[] }
  const entry = {
    Id: '3',
    Created: '2025-01-01T00:00:20Z',
    Severity: 'Warning',
    Message: 'Fan 1 slow',
    MessageId: 'F.1',
  }
  const first = await reads({ url: it.url, ca: it.ca }, 1, undefined, keep)
  t.strictSame(first.told[0]!.events, [])
  page.Members.push(entry, { Id: '4', Created: '1970-01-01T00:00:10Z', Severity: 'Odd', Message: 7 })
  const second = await reads({ url: it.url, ca: it.ca }, 7, undefined, keep)
  t.strictSame(
    second.told.flatMap(o => o.events),
    [
      {
        name: 'hw.log.entry',
        time: Date.UTC(2025, 0, 1, 0, 0, 20),
        severity: 'warning',
        body: { message: 'Fan 1 slow', id: '3', messageId: 'F.1', created: '2025-01-01T00:00:20Z' },
        attributes: { 'server.address': '127.0.0.1', 'hw.log.name': 'SEL' },
      },
      {
        name: 'hw.log.entry',
        time: Date.UTC(2025, 0, 1, 0, 1),
        severity: 'info',
        body: { message: '7', id: '4', created: '1970-01-01T00:00:10Z' },
        attributes: { 'server.address': '127.0.0.1', 'hw.log.name': 'SEL' },
      },
    ],
  )
  bodies['/redfish/v1/Systems/1/LogServices/SEL/Entries?$skip=1'] = '{'
  t.strictSame((await reads({ url: it.url, ca: it.ca }, 1, undefined, keep)).told[0]!.events, [])
  bodies['/redfish/v1/Systems/1/LogServices/SEL/Entries?$skip=1'] = page
  t.strictSame(
    (await reads({ url: it.url, ca: it.ca }, 1, undefined, keep)).told[0]!.events,
    [],
    'half a log is no log',
  )
})

t.test('what a configuration may say', async t => {
  t.match(problems({}), [/an address such as https:/])
  t.match(problems({ url: 'http://a' }), [/an address such as https:/])
  t.match(problems({ url: 'https://root:pw@a' }), [/without user/])
  t.match(problems({ url: 'https://a:b' }), [/an address such as https:/])
  t.match(problems({ url: 'https://a', username: 'x' }), ['username and password_file belong together'])
  t.match(problems({ url: 'https://a', password: 'x' }), [/a secret does not belong in this file/])
  t.match(problems({ url: 'https://a', fingerprint: 'abc' }), [/a SHA-256 fingerprint/])
  t.match(problems({ url: 'https://a', interval: '1s' }), [/from 10s/])
  const both = { url: 'https://a', ca: '/x', fingerprint: 'ab'.repeat(32) }
  t.match(problems(both), ['either ca or fingerprint, not both'])
  t.strictSame(problems({ url: 'https://[::1]:8443', fingerprint: 'AB:'.repeat(31).concat('CD') }), [])
})

t.test('links lead to the service alone', async t => {
  t.equal(pathOf('/redfish/v1/Chassis/1'), '/redfish/v1/Chassis/1')
  for (const link of ['https://a/redfish/v1/', '//a/redfish/', '/etc', '/redfish/../etc', '/redfish/a b', 7, null, ''])
    t.equal(pathOf(link), undefined, String(link))
  t.equal(pathOf('https://a/redfish/v1/x', 'https://a'), '/redfish/v1/x')
  t.equal(pathOf('https://a.evil/redfish/v1/x', 'https://a'), undefined)
})

t.test('whatever a resource holds, reading it gives finite numbers that stand in it, or nothing', async t => {
  const random = seeded(t)
  const bodies = Object.entries(recorded())
  const odd: unknown[] = [null, '7', 'N/A', [], {}, true, Number.MAX_VALUE, -1, '', [null], { '@odata.id': 3 }]
  const mutate = (value: unknown): unknown => {
    if (random.below(12) === 0) return random.pick(odd)
    if (Array.isArray(value)) return value.map(mutate)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mutate(inner)]))
  }
  for (let n = 0; n < 3000; n++) {
    const [path, body] = random.pick(bodies)
    const changed = mutate(body)
    if (typeof changed !== 'object' || changed === null || Array.isArray(changed)) continue
    const kind = random.pick(kinds)
    const readings = readers[kind](path, changed as Record<string, unknown>)
    const bad = readings.filter(r => !Number.isFinite(r.value))
    if (bad.length > 0) t.fail(`${kind} ${path}`, { changed, bad })
  }
})

const corpus = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'host/redfish')

t.test('recorded BMCs are read whole, broken answers apart', async t => {
  if (!existsSync(corpus)) return t.plan(0, `${corpus} is missing: set FIELDLINE_DATA to the folder that has it`)
  const at = (path: string): string => readFileSync(join(corpus, path), 'utf8')
  const root = { '/redfish/v1/': at('base.json') }
  const hp = {
    ...root,
    '/redfish/v1/Systems/': at('hp/hp_available_systems.json'),
    '/redfish/v1/Systems/1': at('hp/hp_systems.json'),
    '/redfish/v1/Chassis/': { Members: [{ '@odata.id': '/redfish/v1/Chassis/1' }] },
    '/redfish/v1/Chassis/1': at('hp/hp_chassis.json'),
    '/redfish/v1/Chassis/1/Power': at('hp/hp_power.json'),
    '/redfish/v1/Chassis/1/Thermal': at('hp/hp_thermal.json'),
  }
  const read = async (bodies: Bodies) => {
    const it = await bmc(t, bodies)
    const { told, said } = await reads({ url: it!.url, ca: it!.ca })
    return { values: short(told[0]!), said: said.join('\n') }
  }
  t.match((await read(hp)).values, {
    'hw.temperature 01-Inlet Ambient': 19,
    'hw.temperature.limit 44-P/S 2 Zone high.critical': 75,
    'hw.temperature.limit 44-P/S 2 Zone high.fatal': 80,
    'hw.fan.speed_ratio Fan 3': 0.23,
    'hw.host.power 0': 221,
    'hw.host.power.limit 0 max': 1600,
    'hw.host.power.window 0 max': 252,
    'hw.power_supply.usage HpeServerPowerSupply 865414-B21': 90,
    'hw.voltage HpeServerPowerSupply 865414-B21': 205,
    'hw.status Computer System host ok': 1,
  })
  const old = await read({ ...hp, '/redfish/v1/Chassis/1/Thermal': at('hp/hp_thermal_ilo4.json') })
  t.equal(old.values['hw.fan.speed_ratio Fan 1'], 0.17)
  const invalid = await read({
    ...hp,
    '/redfish/v1/Chassis/1/Thermal': at('hp/hp_thermalinvalid.json'),
    '/redfish/v1/Systems/1': at('hp/hp_systemsinvalid.json'),
  })
  t.match(invalid.said, /Chassis\/1\/Thermal: the answer is not JSON/)
  t.match(invalid.values, { 'hw.host.power 0': 221, 'hw.temperature 01-Inlet Ambient': undefined })
  const newer = await read({
    ...hp,
    '/redfish/v1/Chassis/1': at('hp/hp_chassis_subsys.json'),
    '/redfish/v1/Chassis/1/ThermalSubsystem': at('hp/thermal_subsys/hp_thermal_subsys.json'),
    '/redfish/v1/Chassis/1/ThermalSubsystem/ThermalMetrics': at('hp/thermal_subsys/hp_thermal_metrics.json'),
    '/redfish/v1/Chassis/1/ThermalSubsystem/Fans': at('hp/thermal_subsys/hp_thermal_subsys_fans.json'),
    '/redfish/v1/Chassis/1/ThermalSubsystem/Fans/0': at('hp/thermal_subsys/hp_thermal_subsys_fans_0.json'),
    '/redfish/v1/Chassis/1/PowerSubsystem': at('hp/power_subsys/hp_power_subsys.json'),
    '/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies': at('hp/power_subsys/hp_power_subsys_psu.json'),
    '/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies/PowerSupply1': at('hp/power_subsys/hp_power_subsys_psu_1.json'),
    '/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies/PowerSupply1/Metrics': at(
      'hp/power_subsys/hp_power_subsys_metrics.json',
    ),
  })
  t.match(newer.values, {
    'hw.temperature 02-CPU 1 PkgTmp': 42,
    'hw.host.ambient_temperature Ambient': 19,
    'hw.fan.speed_ratio Fan 1': 0.2,
    'hw.power_supply.limit Power Supply Bay 1 RKS-440DC max': 400,
    'hw.status Power Supply Bay 1 RKS-440DC power_supply degraded': 1,
    'hw.power_supply.input Metrics for Power Supply 1': 937.4,
    'hw.energy Metrics for Power Supply 1 power_supply': 325675 * 3.6e6,
    'hw.fan.speed Metrics for Power Supply 1': 3290,
  })
  const dell = '/redfish/v1/Chassis/System.Embedded.1'
  const told = await read({
    ...root,
    '/redfish/v1/Chassis/': { Members: [{ '@odata.id': dell }] },
    [dell]: at('dell/dell_chassis.json'),
    [`${dell}/Power`]: at('dell/dell_power.json'),
    [`${dell}/Thermal`]: at('dell/dell_thermal.json'),
  })
  t.match(told.values, {
    'hw.fan.speed System Board Fan1A': 17760,
    'hw.fan.speed.limit System Board Fan1A low.degraded': 960,
    'hw.host.power System Power Control': 429,
    'hw.host.power.limit System Power Control throttled': 348,
    'hw.power_supply.usage PS1 Status PWR SPLY,750W,RDNT,ARTESYN': 203,
    'hw.voltage System Board DIMM PG': undefined,
    'hw.status System Board DIMM PG voltage ok': 1,
  })
  const thermal = JSON.parse(at('dell/dell_thermal.json')) as { Fans: object[]; Temperatures: object[] }
  const count = (name: string): number => Object.keys(told.values).filter(key => key.startsWith(`${name} `)).length
  t.equal(count('hw.fan.speed'), thermal.Fans.length)
  t.equal(count('hw.temperature'), thermal.Temperatures.length)
})
