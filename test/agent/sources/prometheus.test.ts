import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Histogram, Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { openEdge } from '../../../agent/edge.ts'
import { memoryKeep } from '../../../agent/keep.ts'
import { prometheus } from '../../../agent/sources/prometheus.ts'
import type { Parcel } from '../../../agent/spool.ts'
import type { Observation, Sample } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { collectorIn, settled } from '../../collector/ingest/collectors.ts'
import { envelope, noon } from '../../collector/ingest/envelopes.ts'
import { peer } from '../../peers.ts'
import { fakeHost } from '../fake-host.ts'
import { type Answer, exporter } from '../prometheus/exporter.ts'

function options(plain: Record<string, unknown>) {
  const place = new Place()
  const read = prometheus.options.read(plain, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  return read
}

function source(plain: Record<string, unknown>) {
  const said: string[] = []
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  const host = fakeHost(import.meta.dirname)
  const running = prometheus.open(options(plain), { name: 'prometheus', host, say, keep: memoryKeep() })
  /** Readings, with something done between them; what it tells of itself is taken out. */
  const readings = async (count: number, between: (n: number) => void = () => {}): Promise<Observation[]> => {
    const made: Observation[] = []
    const stop = new AbortController()
    await running.run(async observation => {
      made.push(observation)
      between(made.length)
      if (made.length === count) stop.abort()
    }, stop.signal)
    return made
  }
  return { said, readings, running }
}

const bare = ({ series: { name }, value }: Sample): string => `${name} ${value}`
const told = ({ samples }: Observation): string[] =>
  samples.filter(s => !/^(fieldline|scrape)/.test(s.series.name)).map(bare)

/** One reading of one exporter that answers so. */
async function reading(t: Test, answer: Parameters<typeof exporter>[1], plain: Record<string, unknown> = {}) {
  const one = await exporter(t, answer)
  const { said, readings } = source({ targets: [one.url], ...plain })
  const [observation] = await readings(1)
  return {
    told: told(observation!),
    observation: observation!,
    said: said.map(text => text.replace(one.url, 'URL')),
    one,
  }
}

t.test('a target is read, and told of', async t => {
  const { observation, said, one } = await reading(t, 'a 1\nb_total 2\n', { attributes: { site: 'main' } })
  t.same(told(observation), ['a 1', 'b_total 2', 'up 1'])
  t.same(
    observation.samples.map(bare).filter(s => s.startsWith('scrape_s')),
    ['scrape_samples_scraped 2'],
  )
  t.same(said, [])
  const port = Number(new URL(one.url).port)
  for (const { series } of observation.samples.slice(0, 4)) {
    t.same(series.attributes, { site: 'main', 'server.address': '127.0.0.1', 'server.port': port })
  }
  t.match(one.requests[0]!.headers, {
    accept: /^application\/openmetrics-text;version=1.0.0/,
    'accept-encoding': 'gzip',
  })
})

t.test('both formats come by their content type, compressed or not', async t => {
  const open = '# TYPE a counter\na_total 1\n# EOF\n'
  const of = (type: string, body: string | Buffer, encoding?: string) =>
    reading(t, answer => {
      answer.setHeader('content-type', type)
      if (encoding !== undefined) answer.setHeader('content-encoding', encoding)
      answer.end(body)
    })
  const openType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
  t.same((await of(openType, open)).told, ['a_total 1', 'up 1'])
  t.same((await of(openType, gzipSync(open), 'gzip')).told, ['a_total 1', 'up 1'])
  t.same((await of('text/plain; version=0.0.4', gzipSync('b 2\n'), 'gzip')).told, ['b 2', 'up 1'])
  const cut = await of(openType, open.replace('# EOF\n', ''))
  t.same(cut.told, ['up 0'])
  t.match(cut.said, [/^warning URL: expected # EOF in line 3/])
})

const broken: Readonly<Record<string, readonly [Parameters<typeof exporter>[1], RegExp, Record<string, unknown>?]>> = {
  'an error of the exporter': [answer => answer.writeHead(503).end('a 1\n'), /answers 503 Service Unavailable/],
  'a redirect': [
    answer => answer.writeHead(302, { location: 'http://other.example/' }).end(),
    /answers with a redirect to http:\/\/other.example\/; write that address/,
  ],
  'a page': [answer => answer.setHeader('content-type', 'text/html').end('a 1\n'), /answers text\/html/],
  'a connection that breaks off': [
    answer => {
      answer.writeHead(200, { 'content-length': 100 }).write('a 1\n')
      setImmediate(() => answer.destroy())
    },
    /aborted/,
  ],
  'an answer that does not come': [() => {}, /no answer within 0.2 s/, { timeout: '200ms' }],
  'an answer that does not end': [answer => answer.write('a 1\n'), /no answer within 0.2 s/, { timeout: '200ms' }],
  'too many bytes': ['a 1\n'.repeat(1000), /exposes more than max_bytes, 1024/, { max_bytes: '1KiB' }],
  'too many bytes, compressed': [
    answer => answer.setHeader('content-encoding', 'gzip').end(gzipSync('#'.repeat(1e6))),
    /exposes more than max_bytes, 2048/,
    { max_bytes: '2KiB' },
  ],
  'damaged gzip': [
    answer => answer.setHeader('content-encoding', 'gzip').end(gzipSync('a 1\n').subarray(0, 15)),
    /its gzip is damaged/,
  ],
  'an encoding nobody asked for': [answer => answer.setHeader('content-encoding', 'br').end('x'), /in the encoding br/],
  'too many samples': ['a 1\nb 1\nc 1\n', /exposes more than max_samples, 2/, { max_samples: 2 }],
  'half a line': ['a 1\nb 1', /expected a number in line 2/],
}

for (const [what, [answer, message, plain]] of Object.entries(broken)) {
  t.test(`${what} leaves the target without values, and is said once`, async t => {
    const one = await exporter(t, answer)
    const good = await exporter(t, 'good 1\n')
    const { said, readings } = source({ targets: [one.url, good.url], ...plain })
    const made = await readings(3)
    for (const [n, observation] of made.entries()) {
      t.same(
        told(observation).filter(s => !s.startsWith('good') && s !== 'up 1'),
        ['up 0'],
      )
      t.ok(told(observation).includes('good 1'), 'the other target is read')
      t.ok(observation.samples.map(bare).includes(`scrape_failures_total ${n + 1}`))
      t.ok(observation.samples.map(bare).includes('fieldline.source.success 1'))
    }
    t.equal(said.filter(text => text.includes(one.url)).length, 1)
    t.match(said[0], message)
  })
}

t.test('a target that is away and comes back is said once each; what vanished is absent', async t => {
  const one = await exporter(t, 'a 1\nb 2\n')
  const fails: Answer = answer => answer.writeHead(500).end()
  const { said, readings } = source({ targets: [one.url] })
  const made = await readings(5, n => {
    one.answer = [one.answer, 'a 1\n', fails, fails, 'a 3\nb 4\n'][n] ?? ''
  })
  t.same(made.map(told), [['a 1', 'b 2', 'up 1'], ['a 1', 'up 1'], ['up 0'], ['up 0'], ['a 3', 'b 4', 'up 1']])
  t.same(said, [`warning ${one.url}: answers 500 Internal Server Error`, `info ${one.url}: works again`])
  t.equal(made[4]!.samples[0]!.series, made[0]!.samples[0]!.series, 'the series is the same object')
})

t.test('one connection serves all readings, and one that the exporter closed is no failure', async t => {
  const one = await exporter(t, 'a 1\n')
  const { said, readings } = source({ targets: [one.url] })
  await readings(5)
  t.equal(one.connections, 1)
  one.answer = (answer, { socket }) => {
    answer.setHeader('content-type', 'text/plain').end('a 1\n')
    answer.on('finish', () => setImmediate(() => socket.destroy()))
  }
  const made = await readings(5)
  t.ok(made.every(observation => told(observation).includes('up 1')))
  t.same(said, [])
})

t.test('no more targets than allowed are asked at once, and all are', async t => {
  let [now, most] = [0, 0]
  const one = await exporter(t, answer => {
    most = Math.max(most, ++now)
    setTimeout(() => {
      now--
      answer.setHeader('content-type', 'text/plain').end('a 1\n')
    }, 20)
  })
  const targets = Array.from({ length: 9 }, (_, n) => ({ url: `${one.url}?n=${n}`, attributes: { n: String(n) } }))
  const [observation] = await source({ targets, concurrency: 3 }).readings(1)
  t.equal(most, 3)
  t.same(
    observation!.samples.filter(s => s.series.name === 'a').map(s => s.series.attributes.n),
    ['0', '1', '2', '3', '4', '5', '6', '7', '8'],
  )
})

t.test('a file that cannot be read is said, naming it, and nothing is asked without it', async t => {
  const { told, said, one } = await reading(t, 'a 1\n', { username: 'u', password_file: '/none' })
  t.same(told, ['up 0'])
  t.match(said, [/^warning URL: cannot read password_file \/none: ENOENT/])
  t.equal(one.requests.length, 0)
})

t.test('password, token and headers are sent, and read anew for each reading', async t => {
  const folder = t.testdir({ password: 'p:w\n', token: 'abc\n', headers: 'X-Scope: plant\n' })
  const one = await exporter(t, 'a 1\n')
  const basic = { username: 'me', password_file: join(folder, 'password'), headers_file: join(folder, 'headers') }
  await source({ targets: [one.url], ...basic }).readings(1)
  t.match(one.requests.at(-1)!.headers, { authorization: `Basic ${btoa('me:p:w')}`, 'x-scope': 'plant' })
  await source({ targets: [one.url], token_file: join(folder, 'token') }).readings(2, () =>
    writeFileSync(join(folder, 'token'), 'new'),
  )
  t.same(
    one.requests.slice(-2).map(r => r.headers.authorization),
    ['Bearer abc', 'Bearer new'],
  )
})

function certificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA')
  for (const [name, alternative] of [
    ['server', 'DNS:exporter.example'],
    ['client', 'DNS:agent'],
  ]) {
    const own = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', `subjectAltName=${alternative}`]
    openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, ...own)
  }
}

t.test('TLS: an authority, a client certificate and a name of its own; unverified only when written so', async t => {
  if (peer(t, 'openssl') === undefined) return
  const folder = t.testdir({})
  certificates(folder)
  const file = (name: string) => readFileSync(join(folder, name))
  const tls = { cert: file('server.pem'), key: file('server.key'), ca: file('ca.pem'), requestCert: true }
  const one = await exporter(t, 'a 1\n', { ...tls, rejectUnauthorized: true })
  const open = await exporter(t, 'a 1\n', { cert: tls.cert, key: tls.key })
  const [ca, cert, key] = ['ca.pem', 'client.pem', 'client.key'].map(name => join(folder, name))
  const attempt = async (plain: Record<string, unknown>, { url } = one) => {
    const { said, readings } = source({ targets: [url], ...plain })
    const [observation] = await readings(1)
    return [...told(observation!), ...said.map(text => text.replace(url, 'URL'))]
  }
  const whole = { ca, cert, key, server_name: 'exporter.example' }
  t.same(await attempt(whole), ['a 1', 'up 1'])
  t.match(await attempt({ ...whole, cert: undefined, key: undefined }), ['up 0', /warning URL: /])
  t.match(await attempt({ ...whole, server_name: undefined }), ['up 0', /IP: 127.0.0.1 is not in the cert's list/])
  t.match(await attempt({ ...whole, ca: undefined }), ['up 0', /certificate|self.signed/])
  t.match(await attempt({}, open), ['up 0', /certificate/])
  t.same(await attempt({ insecure: true }, open), ['a 1', 'up 1'])
})

t.test('values are derived of what was read, also of what is not sent', async t => {
  const one = await exporter(t, 'used_bytes 30\nlimit_bytes 40\nops_total 100\n')
  const derive = [
    { name: 'x.utilization', expr: 'used_bytes / limit_bytes' },
    { name: 'x.ops', unit: '{op}/s', expr: 'rate(ops_total)' },
    { name: 'x.down', expr: 'count(up) - sum(up)' },
  ]
  const { readings } = source({ targets: [one.url], include: ['none'], derive })
  const made = await readings(2, () => {
    one.answer = 'used_bytes 10\nlimit_bytes 40\nops_total 150\n'
  })
  t.same(made.map(told), [
    ['up 1', 'x.utilization 0.75', 'x.down 0'],
    ['up 1', 'x.utilization 0.25', 'x.ops 5', 'x.down 0'],
  ])
})

t.test('a scrape reaches the history of a collector through spool and wire, histograms bucket by bucket', async t => {
  const registry = new Registry()
  const histogram = new Histogram({
    name: 'took_seconds',
    help: 'took',
    labelNames: ['verb'],
    buckets: [0.1, 1],
    registers: [registry],
  })
  for (const value of [0.05, 0.5, 5, 7]) histogram.observe({ verb: 'GET' }, value)
  const one = await exporter(t, await registry.metrics())
  const [observation] = await source({ targets: [one.url] }).readings(1)
  const parcels: Parcel[] = []
  const edge = openEdge({
    resource: { 'host.name': 'web-1' },
    spool: { put: async (...put) => void parcels.push(...put), knows: () => false },
    say: () => {},
    now: () => noon,
  })
  const at = (o: Observation): Observation => ({
    samples: o.samples.map(s => ({ ...s, time: noon })),
    distributions: (o.distributions ?? []).map(d => ({ ...d, time: noon })),
    events: [],
  })
  await edge.emit(at(observation!))
  const c = await collectorIn(t.testdir({}))
  for (const [n, parcel] of parcels.entries())
    await c.intake.offer(envelope(n + 1, { node: 'web-1', stream: 'spool00001.metrics.1', ...parcel }))
  await settled(c.intake)
  const port = new URL(one.url).port
  const attributes = `"verb":"GET","server.address":"127.0.0.1","server.port":${port}`
  t.same(
    c.all('web-1').filter(line => line.startsWith('took')),
    [
      `took_seconds.count{${attributes}}@0=4`,
      `took_seconds.sum{${attributes}}@0=12.55`,
      `took_seconds.bucket{${attributes},"le":"0.1"}@0=1`,
      `took_seconds.bucket{${attributes},"le":"1"}@0=2`,
      `took_seconds.bucket{${attributes},"le":"+Inf"}@0=4`,
    ],
  )
  await c.stop()
})

t.test('it stops when told, also while a target does not answer, and holds no connection then', async t => {
  const one = await exporter(t, () => {})
  const stop = new AbortController()
  const { running, said } = source({ targets: [one.url], timeout: '5m' })
  const told: string[] = []
  const done = running.run(async ({ samples }) => void told.push(...samples.map(bare)), stop.signal)
  while (one.requests.length === 0) await new Promise(resolve => setImmediate(resolve))
  stop.abort()
  stop.abort()
  await done
  t.same(
    told.filter(text => text.startsWith('up')),
    [],
    'nothing is said of the target',
  )
  t.same(said, [])
  const { socket } = one.requests[0]!
  if (!socket.destroyed) await once(socket, 'close')
  await running.run(async () => void t.fail('an abort before the start'), AbortSignal.abort())
})

const wrong: Readonly<Record<string, readonly [Record<string, unknown>, RegExp]>> = {
  'no target': [{ targets: [] }, /name at least one target/],
  'targets missing': [{}, /missing/],
  'a password in the address': [{ targets: ['http://a:b@x/metrics'] }, /without user and password/],
  'an address without a path': [{ targets: ['http://x:9100'] }, /such as http:\/\/127.0.0.1:9100\/metrics/],
  'two targets nobody could tell apart': [
    { targets: ['http://x/a', 'http://x/b'] },
    /give each attributes that tell them apart/,
  ],
  'a user without a password': [{ targets: ['http://x/m'], username: 'u' }, /belong together/],
  'two ways to sign in': [
    { targets: ['http://x/m'], username: 'u', password_file: 'p', token_file: 't' },
    /username or token_file, not both/,
  ],
  'a certificate without a key': [{ targets: ['http://x/m'], cert: '/c' }, /cert and key belong together/],
  'an authority that does not matter': [{ targets: ['http://x/m'], ca: '/c', insecure: true }, /leave out ca/],
  'a plain password': [{ targets: ['http://x/m'], password: 'x' }, /a secret does not belong in this file/],
  'an unknown key': [{ targets: ['http://x/m'], colour: 'red' }, /unknown key colour/],
}

for (const [what, [plain, message]] of Object.entries(wrong)) {
  t.test(`${what} is a mistake in the configuration`, async t => {
    const place = new Place()
    prometheus.options.read(plain, place)
    t.match(
      place.problems.map(p => p.message),
      [message],
    )
  })
}
