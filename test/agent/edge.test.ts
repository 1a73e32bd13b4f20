import { zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { openEdge } from '../../agent/edge.ts'
import { Fresh } from '../../agent/fresh.ts'
import type { Running } from '../../agent/source.ts'
import type { Parcel } from '../../agent/spool.ts'
import type { Distribution, Event, Observation, Series } from '../../core/model.ts'
import { decodeLogs, MetricDecoder } from '../../core/otlp/decode.ts'

const now = 1_790_000_000_000
const series: Series = { name: 'press.pressure', unit: 'bar', kind: 'gauge', attributes: {} }
const event: Event = { name: 'alarm', time: now, severity: 'warning', body: null, attributes: {} }

const reading = (value: number, time = now): Observation => ({ samples: [{ series, time, value }], events: [] })

function edgeOver(put: (...parcels: readonly Parcel[]) => Promise<void>, knows = (_: string) => false) {
  const said: string[] = []
  const edge = openEdge({
    resource: { 'host.name': 'n' },
    spool: { put, knows },
    say: (_, m) => void said.push(m),
    now: () => now,
  })
  return { edge, said }
}

function valuesIn(parcels: readonly Parcel[]): number[] {
  const values: number[] = []
  const decoder = new MetricDecoder<string>({ series: () => 's', sample: (_, __, value) => void values.push(value) })
  for (const p of parcels) if (p.lane === 'metrics') decoder.decode(zstdDecompressSync(p.payload))
  return values
}

t.test('what several sources emit in one moment is one envelope, and all are told when it is kept', async t => {
  const parcels: Parcel[] = []
  const { promise: kept, resolve: keep } = Promise.withResolvers<void>()
  const { edge } = edgeOver((...put) => {
    parcels.push(...put)
    return kept
  })
  let told = 0
  const emits = [1, 2, 3].map(n => edge.emit(reading(n)).then(() => told++))
  while (parcels.length === 0) await new Promise(resolve => setImmediate(resolve))
  t.equal(parcels.length, 1)
  t.equal(told, 0, 'nobody is told before it is kept')
  keep()
  await Promise.all(emits)
  t.strictSame(valuesIn(parcels), [1, 2, 3])
  t.match(parcels[0], { samples: 3, events: 0, firstTime: now, lastTime: now })
  t.equal(edge.stats().samples, 3)
})

t.test('metrics are at hand as they were before compression', async t => {
  const parcels: Parcel[] = []
  const fresh = new Fresh()
  const put = async (...put: readonly Parcel[]) => void parcels.push(...put)
  const edge = openEdge({
    resource: {},
    spool: { put, knows: () => false },
    fresh,
    say: () => undefined,
    now: () => now,
  })
  for (const value of [1, 2]) await edge.emit(reading(value))
  await edge.emit({ samples: [], events: [event] })
  const [first, second] = parcels.map(p => p.payload)
  t.equal(fresh.get(first!), undefined)
  t.ok(zstdDecompressSync(second!).equals(fresh.get(second!)!))
})

t.test('a moment is held open only if somebody came too late for the one before', async t => {
  const parcels: Parcel[] = []
  let clock = now
  const put = async (...put: readonly Parcel[]) => void parcels.push(...put)
  const edge = openEdge({ resource: {}, spool: { put, knows: () => false }, say: () => undefined, now: () => clock })
  const turn = () => new Promise(resolve => setImmediate(resolve))
  const counts = () => parcels.map(p => p.samples)
  /** One tick: the first source at once, the second a turn later. */
  const tick = async (stragglers: number): Promise<void> => {
    clock += 1000
    const emits = [edge.emit(reading(1))]
    await turn()
    clock += 2
    for (let n = 0; n < stragglers; n++) emits.push(edge.emit(reading(2)))
    await Promise.all(emits)
  }
  await tick(0)
  await tick(1)
  t.strictSame(counts(), [1, 1, 1], 'the straggler missed it')
  await tick(1)
  t.strictSame(counts(), [1, 1, 1, 2], 'it is waited for')
  await tick(0)
  clock += 1000
  void edge.emit(reading(1))
  await turn()
  t.strictSame(counts(), [1, 1, 1, 2, 1, 1], 'nobody is waited for any more')
})

t.test('events travel apart from metrics, and do not wait', async t => {
  const parcels: Parcel[] = []
  const { edge } = edgeOver(async (...put) => void parcels.push(...put))
  await edge.emit({ samples: reading(1).samples, events: [event] })
  t.strictSame(
    parcels.map(p => p.lane),
    ['events', 'metrics'],
  )
  t.match(decodeLogs(zstdDecompressSync(parcels[0]!.payload))[0]?.event, { name: 'alarm', time: now })
})

t.test('a spool that does not take it is a throw to every source of that moment, and nothing is counted', async t => {
  const { edge } = edgeOver(async () => {
    throw new Error('disk full')
  })
  const results = await Promise.allSettled([edge.emit(reading(1)), edge.emit(reading(2))])
  t.strictSame(
    results.map(r => r.status),
    ['rejected', 'rejected'],
  )
  t.equal(edge.stats().samples, 0)
})

t.test('what no far end could use is refused to the source that made it, and harms no other', async t => {
  const parcels: Parcel[] = []
  const { edge } = edgeOver(async (...put) => void parcels.push(...put))
  const good = edge.emit(reading(5))
  await t.rejects(edge.emit(reading(Number.NaN)), { name: 'Refused', message: /press.pressure: the value NaN/ })
  await t.rejects(edge.emit(reading(1, now + 2 * 86_400_000)), { name: 'Refused', message: /cannot be true/ })
  await t.rejects(edge.emit(reading(1, Number.NaN)), { name: 'Refused' })
  await good
  t.strictSame(valuesIn(parcels), [5])
})

t.test('more than an envelope may hold is several envelopes, told as one', async t => {
  const parcels: Parcel[] = []
  const { edge } = edgeOver(async (...put) => void parcels.push(...put))
  const samples = Array.from({ length: 12_000 }, (_, n) => ({ series, time: now, value: n }))
  await edge.emit({ samples, events: [] })
  t.strictSame(
    parcels.map(p => p.samples),
    [5000, 5000, 2000],
  )
  t.strictSame(
    valuesIn(parcels),
    samples.map(s => s.value),
  )
})

t.test('histograms travel as they are, counted as the numbers they hold', async t => {
  const parcels: Parcel[] = []
  const { edge } = edgeOver(async (...put) => void parcels.push(...put))
  const counts = Array.from({ length: 998 }, () => 1)
  const value = { count: 998, sum: 5, bounds: Array.from({ length: 997 }, (_, n) => n), counts }
  const distributions: Distribution[] = [1, 2, 3, 4, 5, 6].map(n => ({ series, time: now - n, value }))
  await edge.emit({ ...reading(7), distributions })
  t.match(parcels, [
    { samples: 1, firstTime: now, lastTime: now },
    { samples: 5000, firstTime: now - 5, lastTime: now - 1 },
    { samples: 1000, firstTime: now - 6, lastTime: now - 6 },
  ])
  t.equal(valuesIn(parcels).length, 6001)
  t.equal(edge.stats().samples, 6001)
})

t.test('a histogram that no far end could use is refused to the source that made it', async t => {
  const { edge } = edgeOver(async () => undefined)
  const value = { count: 1, sum: 5, bounds: [1], counts: [1, 0] }
  const emit = (time: number, more: object) =>
    edge.emit({ samples: [], distributions: [{ series, time, value: { ...value, ...more } }], events: [] })
  await emit(now, {})
  await t.rejects(emit(now, { count: 2 }), { name: 'Refused', message: /press.pressure: its buckets do not hold 2/ })
  await t.rejects(emit(now + 2 * 86_400_000, {}), { name: 'Refused', message: /cannot be true/ })
})

t.test('a source that fails is said and started again; the others run on', async t => {
  const { edge, said } = edgeOver(async () => undefined)
  const stop = new AbortController()
  let starts = 0
  const bad: Running = {
    async run() {
      starts++
      if (starts === 2) stop.abort()
      throw new Error('no such device')
    },
  }
  await edge.run('bad', bad, stop.signal)
  t.equal(starts, 2)
  t.match(said, [/source bad failed: no such device; starting it again/])
  t.equal(edge.stats().restarts, 1)
})

const known = (once: string, value: number): Observation => ({ ...reading(value), once })

t.test('what is told again under the same key is kept once, and whoever tells it waits until it is kept', async t => {
  const parcels: Parcel[] = []
  const keys = new Set<string>()
  const { promise: kept, resolve: keep } = Promise.withResolvers<void>()
  const { edge } = edgeOver(
    async (...put) => {
      parcels.push(...put)
      await kept
      for (const { once = [] } of put) for (const key of once) keys.add(key)
    },
    key => keys.has(key),
  )
  let told = 0
  const emits = [known('a', 1), known('a', 1), known('b', 2)].map(o => edge.emit(o).then(() => told++))
  while (parcels.length === 0) await new Promise(resolve => setImmediate(resolve))
  const late = edge.emit(known('a', 1)).then(() => told++)
  await new Promise(resolve => setImmediate(resolve))
  t.equal(told, 0)
  keep()
  await Promise.all([...emits, late])
  await edge.emit(known('a', 1))
  t.strictSame(valuesIn(parcels), [1, 2])
  t.strictSame(parcels[0]?.once, ['a', 'b'])
  t.equal(edge.stats().samples, 2)
})

t.test('what may come again is waited for by its sender, and waits for no straggler', async t => {
  const parcels: Parcel[] = []
  let clock = now
  const put = async (...put: readonly Parcel[]) => void parcels.push(...put)
  const edge = openEdge({ resource: {}, spool: { put, knows: () => false }, say: () => undefined, now: () => clock })
  const turn = () => new Promise(resolve => setImmediate(resolve))
  for (let n = 0; n < 3; n++) {
    void edge.emit(known(`${n}`, n))
    await turn()
    clock += 1
  }
  t.equal(parcels.length, 3)
})

t.test('what failed under a key may be told again', async t => {
  const parcels: Parcel[] = []
  let full = true
  const { edge } = edgeOver(async (...put) => {
    if (full) throw new Error('full')
    parcels.push(...put)
  })
  const both = await Promise.allSettled([edge.emit(known('a', 1)), edge.emit(known('a', 1))])
  t.strictSame(
    both.map(r => r.status),
    ['rejected', 'rejected'],
  )
  full = false
  await edge.emit(known('a', 1))
  t.strictSame(valuesIn(parcels), [1])
})

t.test('one that cannot be kept does not fail the others of its moment', async t => {
  const parcels: Parcel[] = []
  const { edge } = edgeOver(async (...put) => {
    if (put.some(p => p.samples > 2)) throw new Error('too large')
    parcels.push(...put)
  })
  const large: Observation = { samples: [3, 4, 5].flatMap(n => reading(n).samples), events: [] }
  const told = await Promise.allSettled([edge.emit(reading(1)), edge.emit(large), edge.emit(reading(2))])
  t.strictSame(
    told.map(r => r.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.strictSame(valuesIn(parcels), [1, 2])
})
