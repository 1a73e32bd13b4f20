// What no sensor should send, through a whole collector: no detector fails, every finding ends once the series is normal
// again, and what was news before is news after it.

import { zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { Watch } from '../../collector/judging.ts'
import type { Series } from '../../core/model.ts'
import { metricsEncoder } from '../../core/otlp/encode.ts'
import { type Random, random } from '../random.ts'
import { collectorIn, Edge, heat, settled } from './ingest/collectors.ts'
import { noon } from './ingest/envelopes.ts'

type Collector = Awaited<ReturnType<typeof collectorIn>>
type Value = (time: number) => number

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const metric = heat.name
const rules = [
  { type: 'anomaly', name: 'unusual', metric, false_alarms: 1 },
  { type: 'threshold', name: 'hot', metric, above: 90, clear: 85 },
  { type: 'silence', name: 'quiet', metric },
  { type: 'silence', name: 'silent' },
]

/** A node that speaks once a minute, its collector's clock going along. */
class Press {
  readonly c: Collector
  readonly edge = new Edge('press-1')
  readonly random: Random
  time = noon

  constructor(c: Collector, seed: number) {
    this.c = c
    this.random = random(seed)
  }

  /** Usual heat, about 50. */
  readonly usual: Value = () => 50 + (this.random() - 0.5) * 10

  async send(samples: readonly { readonly time: number; readonly value: number; readonly series?: Series }[]) {
    await this.c.intake.offer(this.edge.metrics(samples.map(sample => ({ series: heat, ...sample }))))
    await settled(this.c.intake)
    this.c.intake.tick()
  }

  /** A sample every `interval` for so long. */
  async speak(lasting: number, value: Value = this.usual, { interval = minute, series = heat, ahead = 0 } = {}) {
    for (const end = this.time + lasting; this.time < end; ) {
      const samples = []
      for (const until = Math.min(end, this.time + hour); this.time < until; this.time += interval)
        samples.push({ time: this.time + ahead, value: value(this.time), series })
      this.c.clock.now = this.time
      await this.send(samples)
    }
  }

  /** Says nothing for so long and then begins another stream; the last minutes of it second by second, so that silence is judged. */
  rest(lasting: number) {
    this.time += lasting
    this.edge.rotate()
    for (let s = 150; s >= 0; s--) {
      this.c.clock.now = this.time - s * second
      this.c.intake.tick()
    }
  }

  open(): string[] {
    return this.c.records.openFindings().map(({ rule, subject }) => `${rule} ${subject.series?.unit ?? subject.node}`)
  }
}

async function press(t: Test, seed = 1): Promise<Press> {
  const c = await collectorIn(t.testdir(), { rules })
  t.teardown(() => c.stop())
  const one = new Press(c, seed)
  await one.speak(9 * hour)
  t.same(one.open(), [])
  return one
}

/** The same bytes with another number in it; an encoder writes none of these. */
function replaced(bytes: Uint8Array, from: number, to: number): Buffer {
  const [before, after] = [Buffer.alloc(8), Buffer.alloc(8)]
  before.writeDoubleLE(from)
  after.writeDoubleLE(to)
  const copy = Buffer.from(bytes)
  const at = copy.indexOf(before)
  if (at < 0) throw new Error('the number is not there')
  after.copy(copy, at)
  return copy
}

/** Normal again: nothing stays open, and a level a little beyond the usual is told of as ever. */
async function recovers(t: Test, one: Press, { normal = 6 * hour, level = 66 } = {}) {
  await one.speak(normal)
  t.same(one.open(), [], 'every finding has ended')
  const from = one.time
  await one.speak(30 * minute, () => level + (one.random() - 0.5) * 10)
  const told = one.c.records.findings({ limit: 200 }).filter(({ since }) => since >= from)
  t.same([...new Set(told.map(({ rule }) => rule))], ['unusual'], `${level} instead of 50 is told`)
  await one.speak(4 * hour)
  t.same(one.open(), [])
  await one.speak(minute, () => 95)
  t.ok(one.open().includes('hot Cel'), 'the limit is watched')
  await one.speak(6 * hour)
  t.same(one.open(), [])
  const [ref] = one.c.history.find({ node: 'press-1' })
  for (const { state } of ref!.watch as Watch[])
    t.same(JSON.parse(JSON.stringify(state)), state, 'it can be checkpointed')
  t.equal(one.c.judging.stats().failed_watches, 0)
  t.same(one.c.said, [])
}

const extremes = [1e308, -1e308, Number.MAX_VALUE, 5e-324, -5e-324, 1e-310, 0, -0, 2 ** 53]

t.test('nothing out of the ordinary: what the other tests come back to', async t => recovers(t, await press(t)))

t.test('values at the ends of what a number holds, one and many', async t => {
  for (const value of extremes) {
    await t.test(String(value), async t => {
      const one = await press(t)
      await one.speak(minute, () => value)
      await recovers(t, one)
    })
  }
  await t.test('twenty minutes of all of them', async t => {
    const one = await press(t)
    await one.speak(20 * minute, () => one.random.pick(extremes))
    await recovers(t, one, { normal: 20 * day })
  })
})

t.test('duplicated, untidy and late samples', async t => {
  const one = await press(t)
  for (let n = 0; n < 60; n++) {
    const times = [0, 0, 0, -5, -3, 0, -600, -3600].map(seconds => one.time + seconds * second)
    one.c.clock.now = one.time
    await one.send(times.map(time => ({ time, value: one.usual(time) })))
    one.time += minute
  }
  await recovers(t, one)
})

t.test('samples from the future, one and an hour of them', async t => {
  for (const lasting of [minute, hour]) {
    await t.test(`${lasting / minute} min`, async t => {
      const one = await press(t)
      await one.speak(lasting, one.usual, { ahead: 20 * hour })
      await recovers(t, one)
    })
  }
})

t.test('every second instead of every minute, and back', async t => {
  const one = await press(t)
  await one.speak(2 * hour, one.usual, { interval: second })
  t.same(one.open(), [])
  await one.speak(2 * hour)
  t.same(one.open(), [], 'a minute is not missed by what spoke every second for a while')
  await recovers(t, one)
})

t.test('a year of silence, then back', async t => {
  const one = await press(t)
  one.rest(day)
  t.same(one.open(), ['silent press-1'])
  one.rest(365 * day)
  t.same(one.open(), [], 'a node that nobody has heard for so long is forgotten')
  await recovers(t, one)
})

t.test('a constant for a day, then alive as before', async t => {
  const one = await press(t)
  await one.speak(day, () => 50)
  await recovers(t, one)
})

t.test('a constant from the first sample on, then a change', async t => {
  const c = await collectorIn(t.testdir(), { rules })
  t.teardown(() => c.stop())
  const one = new Press(c, 2)
  await one.speak(day, () => 50)
  t.same(one.open(), [])
  await one.speak(minute, () => 51)
  t.same(one.open(), ['unusual Cel'])
  await one.speak(5 * hour, () => 50)
  t.same(one.open(), [])
})

t.test('over leap days and the days when clocks change, every hour is as long as the one before', async t => {
  for (const date of ['2027-12-31', '2028-02-28', '2026-10-24', '2027-03-27']) {
    await t.test(date, async t => {
      const one = await press(t)
      one.rest(Date.parse(`${date}T00:00:00Z`) - one.time)
      await one.speak(9 * hour)
      const from = one.time
      await one.speak(2 * day)
      t.same(
        one.c.records.findings({ limit: 50 }).filter(f => f.since >= from),
        [],
      )
      await recovers(t, one)
    })
  }
})

t.test('a counter that starts over is no news, a rate is, before and after', async t => {
  const sent: Series = { ...heat, unit: 'By', kind: 'counter' }
  const c = await collectorIn(t.testdir(), { rules })
  t.teardown(() => c.stop())
  const one = new Press(c, 3)
  let total = 2 ** 52
  const grow = (rate: number) => () => (total += rate * 60 * (1 + one.random() * 0.2))
  await one.speak(9 * hour, grow(50), { series: sent })
  for (let n = 0; n < 20; n++) {
    total = n % 2 === 0 ? 0 : total - 1
    await one.speak(hour, grow(50), { series: sent })
  }
  t.same(c.records.findings({ limit: 50 }), [])
  await one.speak(20 * minute, grow(80), { series: sent })
  t.same(one.open(), ['unusual By'])
  await one.speak(5 * hour, grow(50), { series: sent })
  await one.speak(2 * minute, grow(95), { series: sent })
  t.ok(one.open().includes('hot By'))
  await one.speak(5 * hour, grow(50), { series: sent })
  t.same(one.open(), [])
  t.same(c.said, [])
})

t.test('a series that changes its unit is another: what was found in the old one ends', async t => {
  const one = await press(t)
  await one.speak(10 * minute, () => 95)
  t.same(one.open().sort(), ['hot Cel', 'unusual Cel'])
  await one.speak(day, () => 322 + (one.random() - 0.5) * 10, { series: { ...heat, unit: 'K' } })
  one.rest(minute)
  t.same(one.open(), ['hot K'], 'the limit is beyond in the new one')
})

t.test('what is no number is kept out before any detector', async t => {
  const one = await press(t)
  const steps = one.c.judging.stats().steps
  const marker = 1.234567890123e-77
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const bytes = metricsEncoder({ 'host.name': 'press-1' })([{ series: heat, time: one.time, value: marker }])
    const payload = zstdCompressSync(replaced(bytes, marker, value))
    await one.c.intake.offer(one.edge.metrics([{ series: heat, time: one.time, value: marker }], { payload }))
    await settled(one.c.intake)
  }
  t.equal(one.c.judging.stats().steps - steps, 3, 'only the node is heard')
  t.equal(one.c.all('press-1').filter(text => /NaN|Infinity/.test(text)).length, 0)
  await recovers(t, one)
})
