import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { reason } from '../../core/errors.ts'
import { freePort } from '../../core/free-port.ts'
import { Link, type LinkPlan } from '../../core/mqtt.ts'
import { type MqttOptions, mqttOptions } from '../../core/mqtt-options.ts'
import { maxPacket } from '../../core/mqtt-session.ts'
import { Place } from '../../core/shape.ts'
import { aedes, mosquitto, type TestBroker, until } from '../brokers.ts'
import { peer } from '../peers.ts'

const never = new AbortController().signal

function options(brokers: readonly string[], more: Partial<MqttOptions> = {}): MqttOptions {
  return { ...mqttOptions.read({ brokers }, new Place()), ...more }
}

interface Watched extends Link {
  readonly heard: string[]
  readonly ups: string[]
  readonly downs: string[]
}

function link(t: Test, plan: Partial<LinkPlan> & Pick<LinkPlan, 'options'>): Watched {
  const seen = { heard: [] as string[], ups: [] as string[], downs: [] as string[] }
  const made = new Link({
    clientId: `test-${Math.random()}`,
    subscribe: ['fieldline/test/#'],
    deliver: (topic, payload) => void seen.heard.push(`${topic} ${payload}`),
    up: session => seen.ups.push(session.broker),
    down: error => seen.downs.push(reason(error)),
    ...plan,
  })
  t.teardown(() => made.close())
  return Object.assign(made, seen)
}

const brokers: readonly { name: string; start(t: Test): Promise<TestBroker | undefined> }[] = [
  { name: 'mosquitto (MQTT 5)', start: t => mosquitto(t) },
  { name: 'aedes (MQTT 3.1.1)', start: t => aedes(t) },
]

for (const { name, start } of brokers) {
  t.test(`${name} carries what is published to who subscribed`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const made = link(t, { options: options([broker.url]) })
    const session = await made.ready(5000, never)
    await session.publish('fieldline/test/a', Buffer.from('hello'))
    await until('the message is back', () => made.heard.length === 1)
    t.strictSame(made.heard, ['fieldline/test/a hello'])
    t.strictSame(made.downs, [])
  })

  t.test(`${name} killed and started again: the subscription stands again, nothing is queued meanwhile`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const made = link(t, { options: options([broker.url]) })
    const session = await made.ready(5000, never)
    await broker.kill()
    await until('the end is noticed', () => made.downs.length > 0)
    await t.rejects(session.publish('fieldline/test/a', Buffer.from('lost')), { message: /not connected/ })
    await t.rejects(made.ready(50, never), { message: 'no broker can be reached' })
    await (name.startsWith('aedes') ? aedes(t, broker.port) : mosquitto(t, [], broker.port))
    const again = await made.ready(10_000, never)
    await again.publish('fieldline/test/b', Buffer.from('kept'))
    await until('the message is back', () => made.heard.length > 0)
    t.strictSame(made.heard, ['fieldline/test/b kept'])
  })

  t.test(`${name} announces the will of a connection that ends without a goodbye, and of no other`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const witness = link(t, { options: options([broker.url]) })
    await witness.ready(5000, never)
    const will = (topic: string): LinkPlan['will'] => ({
      topic: `fieldline/test/${topic}`,
      payload: Buffer.from('gone'),
    })
    const polite = link(t, { options: options([broker.url]), subscribe: [], will: will('polite')! })
    await polite.ready(5000, never)
    await polite.close()
    const rude = link(t, { options: options([broker.url]), subscribe: [], will: will('rude')! })
    const session = await rude.ready(5000, never)
    session.drop(new Error('cable pulled'))
    await until('the will is heard', () => witness.heard.length > 0)
    t.strictSame(witness.heard, ['fieldline/test/rude gone'])
  })

  t.test(`${name} has read what was sent with QoS 0 when it answers`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const made = link(t, { options: options([broker.url]) })
    const session = await made.ready(5000, never)
    for (let n = 0; n < 500; n++) session.send('fieldline/test/a', Buffer.from(String(n)))
    await session.answered()
    await until('all are back', () => made.heard.length === 500)
    t.equal(made.heard[499], 'fieldline/test/a 499')
    session.drop(new Error('cable pulled'))
    await t.rejects(session.answered())
  })

  t.test(`${name} is given a new will for each connection, told when it was reached`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const witness = link(t, { options: options([broker.url]) })
    await witness.ready(5000, never)
    let reached = 0
    const made = link(t, {
      options: options([broker.url]),
      subscribe: [],
      reached: () => void reached++,
      will: () => ({ topic: 'fieldline/test/will', payload: Buffer.from(`${reached}`), retain: false }),
    })
    const first = await made.ready(5000, never)
    const before = reached
    first.drop(new Error('cable pulled'))
    await until('the first will is heard', () => witness.heard.length === 1)
    await until('it is back', () => made.session !== undefined && made.session !== first)
    made.session!.drop(new Error('cable pulled'))
    await until('the second will is heard', () => witness.heard.length === 2)
    t.strictSame(witness.heard, [`fieldline/test/will ${before - 1}`, `fieldline/test/will ${before}`])
  })
}

t.test('mosquitto (MQTT 5) publishes a will that says always also after a goodbye', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const witness = link(t, { options: options([broker.url]) })
  await witness.ready(5000, never)
  const will = { topic: 'fieldline/test/will', payload: Buffer.from('gone'), retain: false, always: true }
  const made = link(t, { options: options([broker.url]), subscribe: [], will })
  await made.ready(5000, never)
  await made.close()
  await until('the will is heard', () => witness.heard.length === 1)
  const late = link(t, { options: options([broker.url]) })
  const session = await late.ready(5000, never)
  await session.answered()
  t.strictSame(late.heard, [], 'it is not retained')
})

t.test('a message that is being handled holds back the next one, and the connection lives on meanwhile', async t => {
  const broker = await aedes(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  const taken: string[] = []
  const deliver = (_: string, payload: Buffer): Promise<void> => {
    taken.push(payload.toString())
    return promise
  }
  const made = link(t, { options: options([broker.url]), deliver, timing: { connect: 4000, look: 20 } })
  const session = await made.ready(5000, never)
  const sent = ['one', 'two', 'three'].map(text => session.publish('fieldline/test/a', Buffer.from(text)))
  const other = link(t, { options: options([broker.url]), subscribe: [] })
  const otherSession = await other.ready(5000, never)
  for (let n = 0; n < 20; n++) await otherSession.publish('elsewhere', Buffer.from('time passes'))
  await until('ten looks have passed', looks(10, 20))
  t.strictSame(taken, ['one'])
  resolve()
  await Promise.all(sent)
  await until('the others are delivered', () => taken.length === 3)
  t.strictSame(taken, ['one', 'two', 'three'])
  t.strictSame(made.downs, [])
})

function looks(n: number, interval: number): () => boolean {
  const since = performance.now()
  return () => performance.now() - since > n * interval
}

t.test('a broker that dies is left for the next one within ten seconds', async t => {
  const first = await mosquitto(t)
  if (first === undefined) return
  const second = await aedes(t)
  const made = link(t, { options: options([first.url, second.url]) })
  await made.ready(5000, never)
  const began = performance.now()
  await first.kill()
  await until('the second broker is in use', () => made.session?.broker === second.url, 10_000)
  t.comment(`${Math.round(performance.now() - began)} ms`)
})

t.test('a broker that hangs is left for the next one within ten seconds', async t => {
  const first = await mosquitto(t)
  if (first === undefined) return
  const second = await aedes(t)
  const made = link(t, { options: options([first.url, second.url]) })
  await made.ready(5000, never)
  const began = performance.now()
  first.hang()
  await until('the second broker is in use', () => made.session?.broker === second.url, 10_000)
  t.comment(`${Math.round(performance.now() - began)} ms`)
  t.match(made.downs, [/answers no more/])
})

t.test('a broker that hangs from the start costs one time-out', async t => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => mute.close())
  const { port } = mute.address() as { port: number }
  const broker = await aedes(t)
  const timing = { connect: 300, look: 1000 }
  const made = link(t, { options: options([`mqtt://127.0.0.1:${port}`, broker.url]), timing })
  await until('the second broker is in use', () => made.session?.broker === broker.url, 3000)
  t.strictSame(made.downs, [`mqtt://127.0.0.1:${port}: no answer within 300 ms`])
})

t.test('a dead broker in the list says why it cannot be reached', async t => {
  const port = await freePort()
  const made = link(t, { options: options([`mqtt://127.0.0.1:${port}`]) })
  const error = await made.ready(500, never).catch((e: unknown) => e)
  t.match(reason(error), `no broker can be reached: mqtt://127.0.0.1:${port}: connect ECONNREFUSED`)
})

t.test('a packet larger than agreed ends the connection before it is gathered', async t => {
  const broker = createServer(socket => {
    socket.once('data', () => {
      socket.write(Buffer.from([0x20, 2, 0, 0]))
      socket.once('data', () => {
        socket.write(Buffer.from([0x90, 3, 0, 1, 1]))
        socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]))
      })
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(broker, 'listening')
  t.teardown(() => broker.close())
  const { port } = broker.address() as { port: number }
  const made = link(t, { options: options([`mqtt://127.0.0.1:${port}`]) })
  await until('the connection is over', () => made.downs.length > 0, 5000)
  t.match(made.downs[0], `a packet of 268435455 bytes came, at most ${maxPacket} are taken`)
})

t.test('a wrong password and a wrong user are told apart from a dead broker', async t => {
  const passwords = join(t.testdir({ wrong: 'letmeout\n', right: 'letmein\n' }), 'passwords')
  if (peer(t, 'mosquitto') === undefined) return
  execFileSync('/usr/bin/mosquitto_passwd', ['-b', '-c', passwords, 'edge', 'letmein'])
  execFileSync('/usr/bin/chmod', ['0644', passwords])
  const broker = await mosquitto(t, ['allow_anonymous false', `password_file ${passwords}`])
  if (broker === undefined) return
  const wrong = link(t, {
    options: options([broker.url], { username: 'edge', password_file: join(t.testdirName, 'wrong') }),
  })
  await until('the broker refused', () => wrong.downs.length > 0)
  t.match(wrong.downs[0], /[Nn]ot authorized|[Bb]ad [Uu]ser/)
  const right = link(t, {
    options: options([broker.url], { username: 'edge', password_file: join(t.testdirName, 'right') }),
  })
  t.equal((await right.ready(5000, never)).broker, broker.url)
})

t.test('a broker that requires client certificates takes who has one, and nobody else', async t => {
  if (peer(t, 'openssl') === undefined || peer(t, 'mosquitto') === undefined) return
  const folder = certificates(t)
  const at = (file: string): string => join(folder, file)
  const port = await freePort()
  const lines = [`listener ${port} 127.0.0.1`, `cafile ${at('ca.crt')}`, `certfile ${at('broker.crt')}`]
  lines.push(`keyfile ${at('broker.key')}`, 'require_certificate true', 'use_identity_as_username true')
  if ((await mosquitto(t, lines)) === undefined) return
  const url = `mqtts://127.0.0.1:${port}`
  const known = link(t, { options: options([url], { ca: at('ca.crt'), cert: at('edge.crt'), key: at('edge.key') }) })
  const session = await known.ready(5000, never)
  await session.publish('fieldline/test/tls', Buffer.from('sealed'))
  await until('the message is back', () => known.heard.length === 1)
  const nameless = link(t, { options: options([url], { ca: at('ca.crt') }) })
  await until('who has no certificate is refused', () => nameless.downs.length > 0)
  const distrustful = link(t, { options: options([url]) })
  await until('a broker with an unknown authority is not trusted', () => distrustful.downs.length > 0)
  t.match(distrustful.downs[0], /self-signed certificate|unable to verify/)
  t.strictSame([nameless.ups, distrustful.ups], [[], []])
})

/** An authority, a broker for 127.0.0.1 and an edge, made by openssl. */
function certificates(t: Test): string {
  const folder = t.testdir({ 'san.cnf': 'subjectAltName=IP:127.0.0.1' })
  const openssl = (...args: string[]): unknown =>
    execFileSync('/usr/bin/openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test authority')
  for (const name of ['broker', 'edge']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san.cnf']
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`, '-days', '2')
  }
  execFileSync('/usr/bin/chmod', ['-R', 'a+rX', folder])
  return folder
}

t.test('what a configuration may say of brokers', async t => {
  const problems = (raw: unknown): string[] => {
    const place = new Place()
    mqttOptions.read(raw, place)
    return place.problems.map(p => p.message)
  }
  t.strictSame(problems({ brokers: ['mqtt://a:1883', 'mqtts://[::1]:8883', 'mqtts://b.example'] }), [])
  t.match(problems({ brokers: [] }), ['name at least one broker'])
  t.match(problems({ brokers: ['mqtt://user:secret@a'] }), [/without user and password/])
  t.match(problems({ brokers: ['http://a'] }), [/a broker such as/])
  t.match(problems({ brokers: ['mqtts://a'], cert: '/x' }), ['cert and key belong together'])
})
