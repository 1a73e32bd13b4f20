import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { agentConfig } from '../../agent/config.ts'
import { startEdge } from '../../agent/main.ts'
import type { Act, Source } from '../../agent/source.ts'
import { uplinks } from '../../agent/uplinks/index.ts'
import { Refused } from '../../core/errors.ts'
import { object, Place } from '../../core/shape.ts'
import { aedes, mosquitto, type TestBroker } from '../brokers.ts'
import { fieldline } from './command.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const pem = {
  public: publicKey.export({ type: 'spki', format: 'pem' }),
  private: privateKey.export({ type: 'pkcs8', format: 'pem' }),
}

/** An agent with a lamp, at the broker; and what the lamp was told. */
async function edge(t: Test, broker: TestBroker): Promise<{ key: string; told: unknown[] }> {
  const told: unknown[] = []
  const write: Act = async args => {
    if (args.value === 99) throw new Refused('lamp.red: 99 is above max 1')
    told.push(args)
    return { to: args.to ?? null, value: args.value ?? null }
  }
  const lamp: Source<object> = {
    name: 'lamp',
    options: object({}),
    metrics: [],
    writes: () => ({ 'lamp.red': () => {} }),
    open: () => ({
      run: async (_, signal) => void (signal.aborted || (await once(signal, 'abort'))),
      actions: { write },
    }),
  }
  const folder = t.testdir({ 'order.pub': pem.public, 'order.key': pem.private })
  const raw = {
    daemon: 'agent',
    node: 'edge-1',
    state: `${folder}/state`,
    sources: [{ type: 'lamp' }],
    uplinks: [{ type: 'mqtt', brokers: [broker.url] }],
    metrics: 'off',
    orders: { key: `${folder}/order.pub`, allow: [{ source: 'lamp', action: 'write', to: ['lamp.*'] }] },
  }
  const place = new Place()
  const config = agentConfig([lamp], uplinks).read(raw, place)
  t.strictSame(place.problems, [])
  const stop = new AbortController()
  const { stop: drain } = await startEdge(config, [lamp], () => {}, stop.signal)
  t.teardown(async () => {
    stop.abort()
    await drain()
  })
  return { key: `${folder}/order.key`, told }
}

const brokers: readonly { name: string; start(t: Test): Promise<TestBroker | undefined> }[] = [
  { name: 'mosquitto', start: t => mosquitto(t) },
  { name: 'aedes', start: t => aedes(t) },
]
for (const { name, start } of brokers) {
  t.test(`over ${name} an order is done and its outcome comes back, without any collector`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const { key, told } = await edge(t, broker)
    const common = ['--key', key, '--broker', broker.url]
    const done = await fieldline(['order', 'edge-1', 'lamp', 'write', 'to=lamp.red', 'value=1', ...common])
    t.strictSame(done, { status: 0, out: 'done: {"to":"lamp.red","value":1}\n', err: '' })
    t.strictSame(told, [{ to: 'lamp.red', value: 1 }])
    const refused = await fieldline(['order', 'edge-1', 'lamp', 'write', 'to=lamp.red', 'value=99', ...common])
    t.match(refused, { status: 1, out: 'refused, not done: lamp.red: 99 is above max 1\n' })
    const other = await fieldline(['order', 'edge-1', 'lamp', 'write', 'to=door', 'value=1', '--json', ...common])
    t.match(JSON.parse(other.out), { state: 'refused', reason: /allow-list/, args: { to: 'door' } })
    t.equal(told.length, 1)
  })
}

t.test('where no edge listens it says so in the language of the caller', async t => {
  const broker = await aedes(t)
  const key = `${t.testdir({ key: pem.private })}/key`
  const args = ['order', 'nobody', 'lamp', 'write', '--key', key, '--broker', broker.url, '--valid', '10ms']
  t.match(await fieldline(args, { LC_ALL: 'zh_CN.UTF-8' }), { status: 1, out: /未能及时收到 nobody 的答复/ })
})

t.test('what is wrong with the command line is said', async t => {
  const folder = t.testdir({ none: 'x' })
  const order = (...args: string[]) => fieldline(['order', 'edge-1', 'lamp', 'write', ...args])
  t.match(await order(), { status: 2, err: /--key is missing/ })
  t.match(await order('to', '--key', 'x'), { status: 1, err: /x holds no private Ed25519 key/ })
  t.match(await order('--key', `${folder}/none`), { status: 1, err: /none holds no private Ed25519 key/ })
  const key = `${t.testdir({ key: pem.private })}/key`
  t.match(await order('to', '--key', key), { status: 2, err: /"to": expected NAME=VALUE/ })
  t.match(await order('--key', key, '--broker', 'x'), { status: 2, err: /brokers\[0\]: expected a broker/ })
  t.match(await order('--key', key, '--valid', '9'), { status: 2, err: /--valid 9: expected a duration/ })
  t.match(await fieldline(['order', 'edge-1']), { status: 2, err: /SOURCE is missing/ })
})
