import t from 'tap'
import type { Delivery } from '../../../agent/uplink.ts'
import { Window } from '../../../agent/uplinks/window.ts'
import { envelope, run } from './batch.ts'

const stream = 'spool1.metrics.1-salt'
const wide = { envelopes: 100, bytes: 1e6 }

function sendAll(window: Window): number[] {
  const sent: number[] = []
  for (let e = window.next(); e !== undefined; e = window.next()) sent.push(e.seq)
  return sent
}

function plain({ committed, refused }: Delivery): unknown {
  return { committed: Object.fromEntries(committed), refused: refused.map(r => r.seq) }
}

t.test('a batch is done when receipts cover it', async t => {
  const window = new Window(run(1, 3), wide)
  t.strictSame(sendAll(window), [1, 2, 3])
  t.equal(window.receipt({ stream, watermark: 2 }), true)
  t.equal(window.done, false)
  t.equal(window.receipt({ stream, watermark: 3 }), true)
  t.equal(window.done, true)
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 3 }, refused: [] })
})

t.test('no more than the window is under way, by count and by bytes; one may always go', async t => {
  const two = new Window(run(1, 5), { envelopes: 2, bytes: 1e6 })
  t.strictSame(sendAll(two), [1, 2])
  two.receipt({ stream, watermark: 1 })
  t.strictSame(sendAll(two), [3])
  const large = new Window(run(1, 3, { payload: Buffer.alloc(10) }), { envelopes: 10, bytes: 20 })
  t.strictSame(sendAll(large), [1, 2])
  const huge = new Window(run(1, 3, { payload: Buffer.alloc(50) }), { envelopes: 10, bytes: 20 })
  t.strictSame(sendAll(huge), [1])
})

t.test('a base that the collector does not have ends the batch where it is', async t => {
  const window = new Window(run(1, 5), wide)
  sendAll(window)
  window.receipt({ stream, watermark: 2 })
  t.equal(window.receipt({ stream, watermark: 2, base: 2 }), false)
  t.equal(window.done, false)
  t.equal(window.receipt({ stream, watermark: 0, base: 0 }), true)
  t.equal(window.done, true)
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 2 }, refused: [] })
})

t.test('a call to go back ends the batch at the watermark, even one below it', async t => {
  const window = new Window(run(5, 9), wide)
  sendAll(window)
  t.equal(window.receipt({ stream, watermark: 2, resend: true }), true)
  t.equal(window.done, true)
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 2 }, refused: [] })
})

t.test('a call to go back that comes too late says nothing new', async t => {
  const window = new Window(run(5, 9), wide)
  sendAll(window)
  window.receipt({ stream, watermark: 9 })
  window.receipt({ stream, watermark: 4, resend: true })
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 9 }, refused: [] })
})

t.test('a lower watermark without a call to go back moves nothing', async t => {
  const window = new Window(run(5, 9), wide)
  sendAll(window)
  t.equal(window.receipt({ stream, watermark: 0 }), false)
  t.equal(window.receipt({ stream: 'another.metrics.1', watermark: 7 }), false)
  t.equal(window.news, false)
  t.strictSame(plain(window.delivery()), { committed: {}, refused: [] })
})

t.test('what is refused at the watermark is passed, what is refused beyond it waits for what lies between', async t => {
  const window = new Window(run(5, 9), wide)
  sendAll(window)
  window.receipt({
    stream,
    watermark: 0,
    refused: [
      { seq: 5, reason: 'no' },
      { seq: 8, reason: 'no' },
    ],
  })
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 5 }, refused: [5, 8] })
  window.receipt({ stream, watermark: 7 })
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 8 }, refused: [5, 8] })
  t.equal(window.done, false)
  window.receipt({ stream, watermark: 9 })
  t.equal(window.done, true)
})

t.test('a refusal said twice counts once', async t => {
  const window = new Window(run(1, 2), wide)
  sendAll(window)
  const receipt = { stream, watermark: 1, refused: [{ seq: 1, reason: 'no' }] }
  t.equal(window.receipt(receipt), true)
  t.equal(window.receipt(receipt), false)
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 1 }, refused: [1] })
})

t.test('a request to wait ends the batch with what is known', async t => {
  const window = new Window(run(1, 3), wide)
  sendAll(window)
  window.receipt({ stream, watermark: 1, retry_after: 700 })
  t.equal(window.done, true)
  t.equal(window.pause, 700)
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 1 }, refused: [] })
})

t.test('streams of one batch have each their own place', async t => {
  const events = 'spool1.events.1'
  const window = new Window([envelope(3, { stream: events }), ...run(7, 8)], wide)
  t.strictSame(sendAll(window), [3, 7, 8])
  window.receipt({ stream, watermark: 8 })
  t.equal(window.done, false)
  window.receipt({ stream: events, watermark: 3 })
  t.equal(window.done, true)
  t.strictSame(plain(window.delivery()), { committed: { [stream]: 8, [events]: 3 }, refused: [] })
})
