import t from 'tap'
import { numbersIn } from '../../../core/distribution.ts'
import type { Distribution, Histogram, Series, Summary } from '../../../core/model.ts'
import { metricsEncoder } from '../../../core/otlp/encode.ts'
import { type Random, seeded } from '../../random.ts'
import { randomAttributes, randomNumber, randomSamples, randomTime } from './cases.ts'
import { Listener } from './heard.ts'
import { fromKeyValues, metricsRequest } from './official.ts'

const series: Series = { name: 'took', unit: 's', kind: 'counter', attributes: { verb: 'GET' } }
const histogram: Histogram = { count: 6, sum: 12.5, bounds: [0.1, 1], counts: [1, 2, 3] }
const summary: Summary = { count: 4, sum: 10, quantiles: [{ quantile: 0.5, value: 2 }] }
const time = 1_790_000_000_000

function randomHistogram(random: Random): Histogram {
  const bounds = [...new Set(Array.from({ length: random.below(30) }, () => randomNumber(random)))].sort(
    (a, b) => a - b,
  )
  const counts = Array.from({ length: bounds.length + 1 }, () => random.below(2 ** random.below(48)))
  const count = counts.reduce((all, one) => all + one, 0)
  return { count, sum: random.below(3) === 0 ? undefined : randomNumber(random), bounds, counts }
}

function randomSummary(random: Random): Summary {
  const quantiles = [0, 0.5, 0.9, 0.99, 1].slice(0, random.below(6))
  const some = quantiles.map(quantile => ({ quantile, value: randomNumber(random) }))
  return { count: random.below(1e9), sum: randomNumber(random), quantiles: some }
}

function randomDistributions(random: Random): Distribution[] {
  const all = Array.from({ length: 1 + random.below(6) }, (_, n) => ({
    series: { ...series, name: `m${n % 3}`, attributes: { n, ...randomAttributes(random) } },
    value: random.below(2) === 0 ? randomHistogram(random) : randomSummary(random),
  }))
  return all.flatMap(one => [1, 2].slice(random.below(2)).map(() => ({ ...one, time: randomTime(random) })))
}

function inWords({ series: { name, unit, attributes }, time, value }: Distribution): string {
  const nanos = String(BigInt(time) * 1_000_000n)
  return JSON.stringify({ name, unit, attributes, nanos, ...value, sum: value.sum ?? null })
}

/** What the official schema reads, in the words of `inWords`. */
function readBack(bytes: Uint8Array): { said: string[]; numbers: number } {
  const { metrics } = metricsRequest.decode(bytes).resource_metrics[0]!.scope_metrics[0]!
  const said: string[] = []
  let numbers = 0
  for (const { name, unit, histogram, summary, gauge, sum } of metrics) {
    numbers += (gauge ?? sum)?.data_points.length ?? 0
    if (histogram && histogram.aggregation_temporality !== 2) throw new Error('not cumulative')
    for (const p of [...(histogram?.data_points ?? []), ...(summary?.data_points ?? [])]) {
      const about = { name, unit, attributes: fromKeyValues(p.attributes), nanos: p.time_unix_nano }
      const both = { count: Number(p.count), sum: p.sum ?? null }
      const own =
        'quantile_values' in p
          ? { quantiles: p.quantile_values }
          : { bounds: p.explicit_bounds, counts: p.bucket_counts.map(Number) }
      said.push(JSON.stringify({ ...about, ...both, ...own }))
    }
  }
  return { said: said.sort(), numbers }
}

t.test('random histograms and summaries, beside numbers, read back the same with the official schema', async t => {
  const random = seeded(t)
  for (let round = 0; round < 200; round++) {
    const encode = metricsEncoder(randomAttributes(random))
    for (let request = 0; request < 3; request++) {
      const samples = random.below(2) === 0 ? [] : randomSamples(random)
      const distributions = randomDistributions(random)
      const back = readBack(encode(samples, distributions))
      t.strictSame(back.said, distributions.map(inWords).sort())
      t.equal(back.numbers, samples.length)
      t.equal(readBack(encode(samples)).said.length, 0)
    }
  }
})

t.test('the collector makes a series of each number, as many as were announced', async t => {
  const random = seeded(t)
  const encode = metricsEncoder({})
  for (let round = 0; round < 100; round++) {
    const distributions = randomDistributions(random)
    const announced = distributions.reduce((sum, one) => sum + numbersIn(one), 0)
    t.equal(new Listener().decode(encode([], distributions)).length, announced)
  }
})

t.test('buckets are counted up as Prometheus knows them, quantiles stay gauges', async t => {
  const heard = new Listener().decode(
    metricsEncoder({})(
      [],
      [
        { series, time, value: histogram },
        { series: { ...series, name: 'size', unit: 'By' }, time, value: summary },
      ],
    ),
  )
  t.strictSame(
    heard.map(h => [h.series.kind, h.series.name, h.series.unit, h.series.attributes, h.value]),
    [
      ['counter', 'took.count', '1', { verb: 'GET' }, 6],
      ['counter', 'took.sum', 's', { verb: 'GET' }, 12.5],
      ['counter', 'took.bucket', '1', { verb: 'GET', le: '0.1' }, 1],
      ['counter', 'took.bucket', '1', { verb: 'GET', le: '1' }, 3],
      ['counter', 'took.bucket', '1', { verb: 'GET', le: '+Inf' }, 6],
      ['counter', 'size.count', '1', { verb: 'GET' }, 4],
      ['counter', 'size.sum', 'By', { verb: 'GET' }, 10],
      ['gauge', 'size', 'By', { verb: 'GET', quantile: '0.5' }, 2],
    ],
  )
})

const wrong: Readonly<Record<string, Partial<Histogram> | Partial<Summary>>> = {
  'a count below 0': { ...histogram, count: -1 },
  'a count that is a fraction': { ...histogram, counts: [0.5, 2.5, 3] },
  'a count for each bound only': { ...histogram, counts: [1, 2] },
  'bounds that fall': { ...histogram, bounds: [1, 0.1] },
  'a bound that is infinite': { ...histogram, bounds: [1, Number.POSITIVE_INFINITY] },
  'more counted than in all': { ...histogram, count: 5 },
  'a sum that is no number': { ...histogram, sum: Number.NaN },
  'a summary of half a value': { ...summary, count: 0.5 },
  'a summary without a sum': { ...summary, sum: Number.NaN },
  'a quantile above 1': { ...summary, quantiles: [{ quantile: 1.1, value: 1 }] },
  'a quantile that is no number': { ...summary, quantiles: [{ quantile: 0.5, value: Number.NaN }] },
}

for (const [what, value] of Object.entries(wrong)) {
  t.test(`${what} is refused, and the next request is unharmed`, async t => {
    const encode = metricsEncoder({})
    const good: Distribution = { series, time, value: histogram }
    const before = Buffer.from(encode([], [good])).toString('hex')
    const bad = { series, time, value: value as Histogram }
    t.throws(() => encode([], [good, bad]), { name: 'Refused', message: /^took: / })
    t.equal(Buffer.from(encode([], [good])).toString('hex'), before)
  })
}

t.test('a time that OTLP cannot hold is refused', async t => {
  for (const time of [Number.NaN, -1, 2e13])
    t.throws(() => metricsEncoder({})([], [{ series, time, value: histogram }]), { name: 'Refused' })
})
