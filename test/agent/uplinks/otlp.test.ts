import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { pump } from '../../../agent/pump.ts'
import type { Uplink } from '../../../agent/uplink.ts'
import { otlpUplink } from '../../../agent/uplinks/otlp.ts'
import { judge, retryAfter } from '../../../agent/uplinks/otlp-answer.ts'
import { type OtlpOptions, otlpOptions } from '../../../agent/uplinks/otlp-options.ts'
import { type Envelope, seal } from '../../../core/envelope.ts'
import { ProtoWriter } from '../../../core/protobuf.ts'
import { Place } from '../../../core/shape.ts'
import { until } from '../../brokers.ts'
import { memorySpool } from '../memory-spool.ts'
import { envelope, run, testCollector } from './batch.ts'

const never = new AbortController().signal
const stream = 'spool1.metrics.1-salt'

interface Request {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

type Handler = (request: Request, response: ServerResponse) => void | Promise<void>

interface Backend {
  readonly url: string
  /** Requests that carried data. */
  readonly requests: Request[]
  handle: Handler
}

const accept: Handler = (_, response) => void response.writeHead(200).end()

async function backend(t: Test, handle: Handler = accept): Promise<Backend> {
  const made = { url: '', requests: [] as Request[], handle }
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk as Buffer)
    const request = { path: message.url ?? '', headers: message.headers, body: Buffer.concat(chunks) }
    if (request.body.length > 0) made.requests.push(request)
    await made.handle(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  made.url = `http://127.0.0.1:${port}`
  return made
}

function uplink(t: Test, url: string, more: Partial<OtlpOptions> = {}): Uplink {
  const options = { ...otlpOptions.read({ url }, new Place()), ...more }
  const made = otlpUplink.open(options, { node: 'web-1', spool: 'spool1' })
  t.teardown(() => made.close())
  return made
}

const text = 'OTLP would stand here'
const payload = zstdCompressSync(Buffer.from(text))
const compressed = { payload }

t.test('metrics and logs go each to their path, gzip unless told otherwise', async t => {
  const far = await backend(t)
  const logs = envelope(1, { stream: 'spool1.events.1', encoding: 'otlp-logs-zstd', payload })
  const delivery = await uplink(t, far.url).send([logs, envelope(1, compressed)], never)
  t.strictSame(Object.fromEntries(delivery.committed), { 'spool1.events.1': 1, [stream]: 1 })
  t.strictSame(
    far.requests.map(r => r.path),
    ['/v1/logs', '/v1/metrics'],
  )
  for (const { headers, body } of far.requests) {
    t.match(headers, {
      'content-encoding': 'gzip',
      'content-type': 'application/x-protobuf',
      'fieldline-envelope': undefined,
    })
    t.equal(gunzipSync(body).toString(), text)
  }
})

t.test('zstd goes as it is, none goes plain', async t => {
  const far = await backend(t)
  await uplink(t, far.url, { compression: 'zstd' }).send([envelope(1, compressed)], never)
  await uplink(t, far.url, { compression: 'none' }).send([envelope(1, compressed)], never)
  const [zstd, none] = far.requests
  t.equal(zstd?.headers['content-encoding'], 'zstd')
  t.equal(zstdDecompressSync(zstd!.body).toString(), text)
  t.equal(none?.headers['content-encoding'], undefined)
  t.equal(none?.body.toString(), text)
})

t.test('headers of the file are sent, and a wrong line is named without its value', async t => {
  const far = await backend(t)
  t.testdir({ good: '# who we are\n\nAuthorization: Bearer s3cret \nX-Tenant: a:b\r\n', bad: 'Fine: yes\ns3cret\n' })
  const file = (name: string): string => join(t.testdirName, name)
  await uplink(t, `${far.url}/otel/`, { headers_file: file('good') }).send([envelope(1, compressed)], never)
  t.match(far.requests, [{ path: '/otel/v1/metrics', headers: { authorization: 'Bearer s3cret', 'x-tenant': 'a:b' } }])
  t.throws(() => uplink(t, far.url, { headers_file: file('bad') }), {
    name: 'Refused',
    message: /line 2: expected Name: value$/,
  })
  t.throws(() => uplink(t, far.url, { headers_file: file('absent') }), { name: 'Refused', message: /cannot read/ })
})

t.test('partial success is committed, and what was rejected is told', async t => {
  const inner = new ProtoWriter(32)
  inner.uint(1, 3)
  inner.string(2, 'too old')
  const outer = new ProtoWriter(32)
  outer.bytes(1, inner.finish())
  const answer = Buffer.from(outer.finish())
  const json = '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too long"}}'
  const far = await backend(t, ({ body }, response) => {
    if (body.length === 0 || far.requests.length > 2) response.writeHead(200).end()
    else if (far.requests.length === 1) response.writeHead(200).end(answer)
    else response.writeHead(200, { 'content-type': 'application/json' }).end(json)
  })
  const delivery = await uplink(t, far.url).send(run(1, 3, compressed), never)
  t.strictSame([...delivery.committed], [[stream, 3]])
  t.strictSame(delivery.refused, [
    { stream, seq: 1, reason: '3 rejected: too old' },
    { stream, seq: 2, reason: '2 rejected: too long' },
  ])
})

for (const status of [400, 413, 415, 422]) {
  t.test(`${status} refuses the one envelope and no other`, async t => {
    const far = await backend(t, ({ body }, response) => {
      if (body.length > 0 && far.requests.length === 2) response.writeHead(status).end('no good')
      else response.writeHead(200).end()
    })
    const delivery = await uplink(t, far.url).send(run(1, 3, compressed), never)
    t.strictSame([...delivery.committed], [[stream, 3]])
    t.strictSame(delivery.refused, [{ stream, seq: 2, reason: `HTTP ${status}: no good` }])
  })
}

for (const status of [301, 401, 403, 404, 408, 429, 500, 502, 503, 504]) {
  t.test(`${status} leaves the envelope with us`, async t => {
    const far = await backend(t, (_, response) => void response.writeHead(status).end())
    await t.rejects(uplink(t, far.url).send(run(1, 3, compressed), never), {
      message: `${far.url} answers HTTP ${status}`,
    })
    t.strictSame(far.requests, [])
  })
}

t.test('what was committed before the trouble is told', async t => {
  const far = await backend(t, (_, response) => void response.writeHead(far.requests.length > 2 ? 503 : 200).end())
  const delivery = await uplink(t, far.url).send(run(1, 5, compressed), never)
  t.strictSame([...delivery.committed], [[stream, 2]])
  t.strictSame(delivery.refused, [])
})

t.test('Retry-After is waited for, in seconds and as a date', async t => {
  const now = Date.UTC(2026, 0, 1)
  t.equal(retryAfter('7', now), 7000)
  t.equal(retryAfter(new Date(now + 9000).toUTCString(), now), 9000)
  t.equal(retryAfter(new Date(now - 9000).toUTCString(), now), 0)
  t.equal(retryAfter('100000', now), 60_000)
  t.equal(retryAfter('soon', now), 0)
  t.strictSame(judge({ status: 429, headers: { 'retry-after': '3' }, body: Buffer.alloc(0) }, now), {
    later: 'HTTP 429',
    wait: 3000,
  })
  const waits = [429, 502, 503, 504, 500, 401].map(status => {
    const verdict = judge({ status, headers: { 'retry-after': '3' }, body: Buffer.alloc(0) }, now)
    return 'later' in verdict ? verdict.wait : undefined
  })
  t.strictSame(waits, [3000, 3000, 3000, 3000, 0, 0])
  const far = await backend(t, (_, response) => void response.writeHead(429, { 'retry-after': '1' }).end())
  const began = performance.now()
  await t.rejects(uplink(t, far.url).send(run(1, 1, compressed), never), { message: /HTTP 429/ })
  t.ok(performance.now() - began > 950)
})

t.test('a damaged payload is refused here', async t => {
  const far = await backend(t)
  const delivery = await uplink(t, far.url).send([envelope(1, { payload: Buffer.from('no zstd') })], never)
  t.match(delivery.refused, [{ seq: 1, reason: /decompressed/ }])
  t.strictSame(far.requests, [])
})

t.test('a backend that hangs is left after the time-out, one that cannot be reached at once', async t => {
  const far = await backend(t, () => {})
  await t.rejects(uplink(t, far.url, { timeout: 100 }).send(run(1, 1, compressed), never), {
    cause: { message: 'no answer within 100 ms' },
  })
  await t.rejects(uplink(t, 'http://127.0.0.1:1').send(run(1, 1, compressed), never), {
    cause: { code: 'ECONNREFUSED' },
  })
})

t.test('a connection that the server closed while idle is no failure', async t => {
  const far = await backend(t)
  const made = uplink(t, far.url, { fieldline: false })
  await made.send(run(1, 1, compressed), never)
  let resets = 1
  far.handle = (_, response) => {
    if (resets-- > 0) response.destroy()
    else response.writeHead(200).end()
  }
  const delivery = await made.send(run(2, 2, compressed), never)
  t.strictSame([...delivery.committed], [[stream, 2]])
})

t.test('through every trouble a backend can make, nothing is lost', async t => {
  const got = new Set<string>()
  const partial = '{"partialSuccess":{"rejectedDataPoints":"1","errorMessage":"one is bad"}}'
  const troubles: readonly Handler[] = [
    accept,
    (_, response) => void response.writeHead(429, { 'retry-after': '0' }).end(),
    (_, response) => void response.writeHead(503).end(),
    (_, response) => void response.destroy(),
    () => {},
    (_, response) => void response.writeHead(502).end('<html>'),
    (_, response) => void response.writeHead(200, { 'content-length': '10' }).write('half'),
    (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(partial),
    (_, response) => void response.writeHead(400).end('bad'),
  ]
  const refused = new Set<string>()
  let turn = 0
  const far = await backend(t, (request, response) => {
    if (request.body.length === 0) return accept(request, response)
    const trouble = troubles[turn++ % troubles.length]!
    if (trouble === accept || trouble === troubles[7]) got.add(gunzipSync(request.body).toString())
    if (trouble === troubles[8]) refused.add(gunzipSync(request.body).toString())
    return trouble(request, response)
  })
  const spool = memorySpool('web-1', 'spool1')
  const put = Array.from({ length: 5 }, (_, n) => `envelope ${n}`)
  for (const text of put) spool.put(zstdCompressSync(Buffer.from(text)))
  const stop = new AbortController()
  const options = { name: 'otlp', backlog_rate: 1e9, say: () => {}, signal: stop.signal }
  const running = pump({ spool, uplink: uplink(t, far.url, { timeout: 200 }), ...options })
  await until('the spool is empty', () => spool.held.length === 0, 25_000)
  stop.abort()
  await running
  t.strictSame(
    put.filter(text => !got.has(text) && !refused.has(text)),
    [],
  )
  t.ok(refused.size > 0)
  const aside = spool.refused.map(e => zstdDecompressSync(e.payload).toString())
  t.ok([...refused].every(text => aside.includes(text)))
})

/** The collector's side of the header, as docs/wire.md has it. */
function fieldline(accept: (e: Envelope) => Promise<unknown>): Handler {
  return async ({ headers, body }, response) => {
    const header = headers['fieldline-envelope']
    if (typeof header !== 'string') return void response.writeHead(200, { 'fieldline-receipt': '' }).end()
    const place = JSON.parse(Buffer.from(header, 'base64url').toString())
    const e: Envelope = { ...place, encoding: 'otlp-metrics-zstd', payload: body }
    if (seal(e, body) !== e.crc) return void response.writeHead(400).end('seal')
    response.writeHead(200, { 'fieldline-receipt': JSON.stringify(await accept(e)) }).end()
  }
}

t.test('a Fieldline collector is recognised before the first envelope, and its receipts decide', async t => {
  const collector = testCollector()
  const far = await backend(t, fieldline(collector.accept))
  const delivery = await uplink(t, far.url).send(run(1, 3, compressed), never)
  t.strictSame([...delivery.committed], [[stream, 3]])
  t.strictSame(collector.committed.get(`web-1/${stream}`), [1, 2, 3])
  t.match(far.requests, [{ headers: { 'content-encoding': 'zstd' } }])
})

t.test('a Fieldline collector stores once what is sent twice, and can call back', async t => {
  const collector = testCollector()
  const far = await backend(t, fieldline(collector.accept))
  const made = uplink(t, far.url, { fieldline: true })
  await made.send(run(1, 3, compressed), never)
  await made.send(run(2, 4, compressed), never)
  t.strictSame(collector.committed.get(`web-1/${stream}`), [1, 2, 3, 4])
  const gone = await made.send(run(8, 9, compressed), never)
  t.strictSame([...gone.committed], [[stream, 4]])
})

t.test('a far end that takes envelopes without receipts is not believed', async t => {
  const far = await backend(t)
  await t.rejects(uplink(t, far.url, { fieldline: true }).send(run(1, 1, compressed), never), {
    message: /without a receipt/,
  })
})

t.test('what a configuration may say of an OTLP backend', async t => {
  const problems = (raw: unknown): string[] => {
    const place = new Place()
    otlpOptions.read(raw, place)
    return place.problems.map(p => p.message)
  }
  t.strictSame(problems({ url: 'https://otel.example:4318' }), [])
  t.match(problems({ url: 'https://user:secret@otel.example' }), [/without user and password/])
  t.match(problems({ url: 'otel.example:4318' }), [/an address such as/])
  t.match(problems({ url: 'http://a', compression: 'lz4' }), [/one of gzip, zstd, none/])
  t.match(problems({ url: 'http://a', timeout: '1ms' }), [/a duration/])
})
