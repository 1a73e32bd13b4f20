import t from 'tap'
import { serveVitals } from '../../core/vitals.ts'

t.test('vitals are served in the Prometheus text format, read at the moment they are asked for', async t => {
  let n = 1
  const queues = new Map([['mqtt', 4]])
  const server = await serveVitals('127.0.0.1:0', [
    { name: 'fieldline_samples_total', help: 'Samples.', kind: 'counter', read: () => n },
    {
      name: 'fieldline_queue',
      help: 'Waiting.',
      kind: 'gauge',
      labels: ['uplink'],
      read: () => [...queues].map(([uplink, value]) => ({ labels: { uplink }, value })),
    },
  ])
  t.teardown(() => server.close())
  t.match(await (await fetch(server.url)).text(), /^fieldline_samples_total 1$/m)
  n = 5
  queues.set('otlp', 7)
  const text = await (await fetch(server.url)).text()
  t.match(text, /^fieldline_samples_total 5$/m)
  t.match(text, /^fieldline_queue\{uplink="mqtt"\} 4$/m)
  t.match(text, /^fieldline_queue\{uplink="otlp"\} 7$/m)
  t.match(text, /^process_resident_memory_bytes \d+$/m)
  t.equal((await fetch(server.url.replace('/metrics', '/other'))).status, 404)
})

t.test('an address in use is an error, not a silent daemon', async t => {
  const first = await serveVitals('127.0.0.1:0', [])
  t.teardown(() => first.close())
  const taken = new URL(first.url).host
  await t.rejects(serveVitals(taken, []), { code: 'EADDRINUSE' })
})

t.test('all who ask first at one moment are answered, and nobody after the close', async t => {
  const server = await serveVitals('127.0.0.1:0', [{ name: 'fieldline_up', help: 'Up.', kind: 'gauge', read: () => 1 }])
  const texts = await Promise.all(Array.from({ length: 8 }, async () => (await fetch(server.url)).text()))
  for (const text of texts) t.match(text, /^fieldline_up 1$/m)
  server.close()
  await t.rejects(fetch(server.url, { headers: { connection: 'close' } }))
})
