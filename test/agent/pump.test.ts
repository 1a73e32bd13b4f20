import t, { type Test } from 'tap'
import { pump } from '../../agent/pump.ts'
import type { Delivery, Uplink } from '../../agent/uplink.ts'
import type { Envelope } from '../../core/envelope.ts'
import { until } from '../brokers.ts'
import { type MemorySpool, memorySpool } from './memory-spool.ts'

interface Far extends Uplink {
  readonly got: Envelope[]
  /** What the next sends do instead of taking everything. */
  answer: (batch: readonly Envelope[], signal: AbortSignal) => Delivery | Promise<Delivery>
}

const takeAll = (batch: readonly Envelope[]): Delivery => ({
  committed: new Map(batch.map(e => [e.stream, e.seq])),
  refused: [],
})

function far(): Far {
  const got: Envelope[] = []
  return {
    got,
    answer: takeAll,
    async send(batch, signal) {
      const delivery = await this.answer(batch, signal)
      got.push(...batch.filter(e => e.seq <= (delivery.committed.get(e.stream) ?? 0)))
      return delivery
    },
    close: async () => {},
  }
}

interface Running {
  readonly said: string[]
  stop(): Promise<void>
}

function start(t: Test, spool: MemorySpool, uplink: Uplink, backlog_rate = 1e9, now?: () => number): Running {
  const stopping = new AbortController()
  const said: string[] = []
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  const options = { spool, uplink, name: 'far', backlog_rate, say, signal: stopping.signal }
  const running = pump({ ...options, ...(now && { now }) })
  const stop = (): Promise<void> => {
    stopping.abort()
    return running
  }
  t.teardown(stop)
  return { said, stop }
}

t.test('what is put is sent, and the spool empties', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  const { said, stop } = start(t, spool, uplink)
  spool.put()
  await until('the first arrived', () => uplink.got.length === 1)
  for (let n = 0; n < 5; n++) spool.put()
  await until('the spool is empty', () => spool.held.length === 0)
  await stop()
  t.strictSame(
    uplink.got.map(e => e.seq),
    [1, 2, 3, 4, 5, 6],
  )
  t.strictSame(said, [])
})

t.test('an outage is said once, its end once, and nothing is lost', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  let attempts = 0
  uplink.answer = () => {
    attempts++
    throw new Error('cable pulled')
  }
  const { said, stop } = start(t, spool, uplink)
  spool.put()
  await until('three attempts', () => attempts === 3)
  spool.put()
  uplink.answer = takeAll
  await until('the spool is empty', () => spool.held.length === 0)
  await stop()
  t.match(said, [
    /^warning uplink far: nothing gets through: cable pulled$/,
    /^info uplink far: works again after \d s$/,
  ])
  t.equal(said.length, 2)
  t.equal(uplink.got.length, 2)
})

t.test('after an outage of more than ten seconds fresh data goes first, once', async t => {
  for (const [seconds, rotations] of [
    [9, 0],
    [11, 1],
  ] as const) {
    const [spool, uplink] = [memorySpool('web-1', 's'), far()]
    let time = 0
    let attempts = 0
    uplink.answer = () => {
      attempts++
      throw new Error('cable pulled')
    }
    const { stop } = start(t, spool, uplink, 1e9, () => time)
    spool.put(Buffer.alloc(400_000))
    spool.put(Buffer.alloc(400_000))
    await until('an attempt', () => attempts > 0)
    time = seconds * 1000
    uplink.answer = takeAll
    await until('the spool is empty', () => spool.held.length === 0)
    await stop()
    t.equal(spool.rotations, rotations)
  }
})

t.test('older streams follow at the declared rate behind fresh data', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  for (let n = 0; n < 12; n++) spool.put(Buffer.alloc(100_000))
  spool.rotate()
  spool.put(Buffer.alloc(1000))
  let time = 0
  const { stop } = start(t, spool, uplink, 200_000, () => time)
  await until('what may go has gone', () => uplink.got.length >= 6)
  t.equal(uplink.got[0]?.stream, 's.metrics.2-salt')
  const older = (): number => uplink.got.filter(e => e.stream === 's.metrics.1-salt').length
  t.equal(older(), 5, 'the bucket of 512 KiB holds five envelopes of 100 kB')
  spool.put(Buffer.alloc(1000))
  await until('fresh data passes by', () => uplink.got.some(e => e.stream === 's.metrics.2-salt' && e.seq === 2))
  t.equal(older(), 5)
  time = 1000
  await until('a second later two more may go', () => older() === 7)
  time = 60_000
  await until('in a minute all', () => {
    time += 5000
    return spool.held.length === 0
  })
  await stop()
})

t.test('a far end that answers and takes nothing is not asked in a hot loop, and is said', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  let attempts = 0
  uplink.answer = () => {
    attempts++
    return { committed: new Map(), refused: [] }
  }
  const { said, stop } = start(t, spool, uplink)
  spool.put()
  await until('it is said', () => said.length === 1)
  t.equal(attempts, 3)
  t.match(said[0], /the far end answers, and takes nothing/)
  await stop()
})

t.test('going back once is no outage', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  let back = true
  uplink.answer = batch => {
    if (!back) return takeAll(batch)
    back = false
    return { committed: new Map([['s.metrics.1-salt', 0]]), refused: [] }
  }
  const { said, stop } = start(t, spool, uplink)
  spool.put()
  await until('the spool is empty', () => spool.held.length === 0)
  await stop()
  t.strictSame(said, [])
})

t.test('the trouble of one uplink does not slow another', async t => {
  const [one, two] = [memorySpool('web-1', 's'), memorySpool('web-1', 's')]
  const [stuck, quick] = [far(), far()]
  stuck.answer = (_, signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }))
  start(t, one, stuck)
  start(t, two, quick)
  for (let n = 0; n < 10; n++) {
    one.put()
    two.put()
  }
  await until('the quick one is done', () => two.held.length === 0)
  t.equal(one.held.length, 10)
})

t.test('a spool that cannot be read is said, and tried again', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  let broken = 2
  const take: MemorySpool['take'] = (...args) => {
    if (broken-- > 0) throw new Error('disk I/O error')
    return spool.take(...args)
  }
  spool.put()
  const { said, stop } = start(t, { ...spool, take }, uplink)
  await until('it was sent', () => uplink.got.length === 1)
  await stop()
  t.match(said[0], 'warning uplink far: nothing gets through: disk I/O error')
})

t.test('stopping ends a pause and a wait at once, and twice is as good as once', async t => {
  const [spool, uplink] = [memorySpool('web-1', 's'), far()]
  const waiting = start(t, spool, uplink)
  await waiting.stop()
  await waiting.stop()
  uplink.answer = () => {
    throw new Error('cable pulled')
  }
  spool.put()
  const pausing = start(t, spool, uplink)
  await until('an attempt failed', () => pausing.said.length > 0)
  await pausing.stop()
  t.equal(spool.held.length, 1)
})
