import t from 'tap'
import { Meter } from '../../collector/meter.ts'

const start = 1_790_000_000_000

t.test('a steady node shows its rate, and none after it has stopped', async t => {
  const meter = new Meter()
  for (let s = 0; s < 10; s++) meter.committed('a', 100, start + s * 1000, start + s * 1000)
  t.equal(meter.perSecond('a', start + 10_000), 100)
  t.equal(meter.perSecond('b', start + 10_000), 0)
  t.equal(meter.perSecond(undefined, start + 10_000), 100)
  t.equal(meter.perSecond('a', start + 30_000), 0)
  t.equal(meter.samples, 1000)
})

t.test('the 99th percentile weighs envelopes by their samples and forgets after a minute', async t => {
  const meter = new Meter()
  t.equal(meter.p99(start), undefined)
  meter.committed('a', 990, start - 10, start)
  meter.committed('a', 10, start - 500, start)
  t.equal(meter.p99(start), 10)
  meter.committed('a', 1, start - 500, start)
  t.equal(meter.p99(start), 500)
  t.equal(meter.p99(start + 61_000), undefined)
})

t.test('a clock that steps back does not break it', async t => {
  const meter = new Meter()
  meter.committed('a', 100, start, start)
  meter.committed('a', 100, start - 3_600_000, start - 3_600_000)
  t.ok(Number.isFinite(meter.perSecond('a', start - 3_599_000)))
  t.equal(meter.samples, 200)
})
