import t from 'tap'
import { rules } from '../../../agent/prometheus/relabel.ts'
import { Scrape, type Scraped, type ScrapeOptions } from '../../../agent/prometheus/scrape.ts'
import type { Series } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'

const time = 1_790_000_000_000

function scraper(more: Partial<ScrapeOptions> = {}): Scrape {
  return new Scrape({
    origin: 'http://x/metrics',
    labels: {},
    attributes: {},
    rules: [],
    chosen: () => true,
    feeds: () => [],
    maxSamples: 10_000,
    honorTimestamps: true,
    ...more,
  })
}

const relabelled = (...plain: readonly object[]) => rules.read(plain, new Place())

/** `counter name{a=b} s = value` */
function told({ samples, distributions }: Scraped): string[] {
  return [
    ...samples.map(s => `${nameOf(s.series)} = ${s.value}${s.time === time ? '' : ` @${s.time - time}`}`),
    ...distributions.map(d => `${nameOf(d.series)} = ${JSON.stringify(d.value)}`),
  ]
}

function nameOf({ kind, name, unit, attributes }: Series): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${value}`)
  return `${kind} ${name}{${pairs}}${unit === '' ? '' : ` ${unit}`}`
}

function read(text: string, more: Partial<ScrapeOptions> = {}, format: 'text' | 'openmetrics' = 'text'): string[] {
  return told(scraper(more).read(Buffer.from(text), format, time))
}

t.test('names stay, types become kinds, units are UCUM; what has no value is absent', async t => {
  const text = `# TYPE a_seconds_total counter
a_seconds_total{x="1",empty=""} 5
# TYPE b_bytes gauge
b_bytes 6
c_ratio 0.5
d NaN
e +Inf
# TYPE f_info info
f_info{version="1"} 1
# TYPE g counter
# UNIT g bytes_per_second
g_total 7
g_created 1
# TYPE h gaugehistogram
h_bucket{le="1"} 1
h_gcount 1
# TYPE own_created gauge
own_created 8
`
  t.same(read(text), [
    'counter a_seconds_total{x=1} s = 5',
    'gauge b_bytes{} By = 6',
    'gauge c_ratio{} 1 = 0.5',
    'gauge f_info{version=1} = 1',
    'counter g_total{} By/s = 7',
    'gauge own_created{} = 8',
  ])
})

const histogram = `# TYPE took_seconds histogram
took_seconds_bucket{verb="GET",le="0.1"} 1
took_seconds_bucket{verb="GET",le="1"} 3
took_seconds_bucket{verb="GET",le="+Inf"} 6
took_seconds_sum{verb="GET"} 12.5
took_seconds_count{verb="GET"} 6
`

t.test('a histogram stays one, its buckets told each alone', async t => {
  t.same(read(histogram), [
    'counter took_seconds{verb=GET} s = {"count":6,"sum":12.5,"bounds":[0.1,1],"counts":[1,2,3]}',
  ])
  const shuffled = histogram.trimEnd().split('\n').slice(1).reverse().join('\n')
  t.same(read(`# TYPE took_seconds histogram\n${shuffled}\n`), read(histogram))
})

t.test('a histogram may lack its sum and its last bucket, not its count', async t => {
  t.same(read(histogram.replace(/.*_sum.*\n/, '').replace(/.*Inf.*\n/, '')), [
    'counter took_seconds{verb=GET} s = {"count":6,"bounds":[0.1,1],"counts":[1,2,3]}',
  ])
  t.same(read(histogram.replace('12.5', 'NaN')), [
    'counter took_seconds{verb=GET} s = {"count":6,"bounds":[0.1,1],"counts":[1,2,3]}',
  ])
  t.same(read(histogram.replace(/.*_count.*\n/, '')), [])
})

t.test('a histogram that contradicts itself is left out, and that is told; the rest is not harmed', async t => {
  const damaged = {
    'buckets fall': histogram.replace('"1"} 3', '"1"} 0'),
    'more in all than counted': histogram.replace('+Inf"} 6', '+Inf"} 7'),
    'halves of values': histogram.replace('} 1\n', '} 1.5\n'),
    'no count': histogram.replace('} 6\ntook_seconds_sum', '} NaN\ntook_seconds_sum'),
  }
  for (const [what, text] of Object.entries(damaged)) {
    const scraped = scraper().read(Buffer.from(`${text}up 1\n`), 'text', time)
    t.same(told(scraped), ['gauge up{} = 1'], what)
    t.match(scraped.odd, /contradicts itself in took_seconds/)
  }
})

t.test('each reading tells of itself alone', async t => {
  const s = scraper()
  s.read(Buffer.from(histogram), 'text', time)
  const more = histogram
    .replace('+Inf"} 6', '+Inf"} 9')
    .replace('_count{verb="GET"} 6', '_count{verb="GET"} 9')
    .replace('12.5', '50')
  const second = s.read(Buffer.from(more), 'text', time)
  t.same(told(second), ['counter took_seconds{verb=GET} s = {"count":9,"sum":50,"bounds":[0.1,1],"counts":[1,2,6]}'])
  t.equal(second.odd, undefined)
})

t.test('a bucket that a reading does not tell is not taken from the reading before', async t => {
  const s = scraper()
  s.read(Buffer.from(histogram), 'text', time)
  const fewer = s.read(Buffer.from(histogram.replace(/.*"0.1".*\n/, '')), 'text', time)
  t.same(told(fewer), ['counter took_seconds{verb=GET} s = {"count":6,"sum":12.5,"bounds":[1],"counts":[3,3]}'])
  t.same(s.read(Buffer.from('other 1\n'), 'text', time).distributions, [])
})

t.test('a summary stays one; quantiles that have seen nothing are absent', async t => {
  const text = `# TYPE size_bytes summary
size_bytes{quantile="0.5"} 2
size_bytes{quantile="0.99"} NaN
size_bytes_sum 10
size_bytes_count 4
# TYPE queue_count summary
queue_count{quantile="1"} 3
queue_count_sum 3
queue_count_count 1
`
  t.same(read(text), [
    'counter size_bytes{} By = {"count":4,"sum":10,"quantiles":[{"quantile":0.5,"value":2}]}',
    'counter queue_count{} = {"count":1,"sum":3,"quantiles":[{"quantile":1,"value":3}]}',
  ])
  t.same(read(text.replace(/size_bytes_sum.*\n/, '')).length, 1, 'without a sum it would be told as 0')
})

t.test('per cent where a quantile belongs are gauges, and the summary has none', async t => {
  const text = '# TYPE lat summary\nlat{quantile="99.9"} 12\nlat_sum 16\nlat_count 2\n'
  t.same(read(text), ['gauge lat{quantile=99.9} = 12', 'counter lat{} = {"count":2,"sum":16,"quantiles":[]}'])
})

t.test('series and bounds are the same objects at each reading', async t => {
  const s = scraper()
  const text = Buffer.from(`${histogram}a{x="1"} 1\n`)
  const first = s.read(text, 'text', time)
  const second = s.read(Buffer.from(`a{x="1"} 2\n${histogram}`), 'text', time + 1000)
  t.equal(second.samples[0]!.series, first.samples[0]!.series)
  t.equal(second.distributions[0]!.series, first.distributions[0]!.series)
  const [a, b] = [first, second].map(scraped => scraped.distributions[0]!.value)
  t.ok(a && b && 'bounds' in a && 'bounds' in b && a.bounds === b.bounds)
})

t.test('what is given twice counts once, the first; also with its labels in another order', async t => {
  const scraped = scraper().read(Buffer.from('a{x="1",y="2"} 1\na{y="2",x="1"} 2\na{x="1",y="2"} 3\n'), 'text', time)
  t.same(told(scraped), ['gauge a{x=1,y=2} = 1'])
  t.equal(scraped.odd, 'gives a twice with the same labels')
})

t.test('labels of the target come before those that the endpoint gives', async t => {
  const more = { labels: { site: 'main' }, attributes: { 'server.address': 'x', 'server.port': 80 } }
  t.same(read('a{site="other",constructor="y"} 1\n', more), [
    'gauge a{exported_site=other,constructor=y,site=main,server.address=x,server.port=80} = 1',
  ])
})

t.test('rules see the name, all labels and those of the target, and take what begins with __ away', async t => {
  const more = {
    labels: { site: 'main' },
    rules: relabelled(
      { source_labels: ['__name__'], regex: 'go_.*', action: 'drop' },
      { source_labels: ['site', 'x'], target_label: 'both' },
      { source_labels: ['x'], target_label: '__tmp' },
      { source_labels: ['__name__'], regex: 'old_(.*)', target_label: '__name__', replacement: 'new_$1' },
    ),
  }
  t.same(read('go_gc 1\nold_a{x="1"} 2\n', more), ['gauge new_a{x=1,site=main,both=main;1} = 2'])
})

t.test('a histogram can be renamed and have buckets dropped', async t => {
  const more = {
    rules: relabelled(
      { source_labels: ['__name__'], regex: 'took_(.*)', target_label: '__name__', replacement: 'lasted_$1' },
      { source_labels: ['le'], regex: '0.1', action: 'drop' },
    ),
  }
  t.same(read(histogram, more), [
    'counter lasted_seconds{verb=GET} s = {"count":6,"sum":12.5,"bounds":[1],"counts":[3,3]}',
  ])
})

t.test('a rule that takes a name away fails the reading, naming it', async t => {
  const more = { rules: relabelled({ regex: 'x', action: 'labelkeep' }) }
  t.throws(() => read('a{x="1"} 1\n', more), { message: /^http:\/\/x\/metrics: a rule .* takes the name of a away/ })
})

t.test('metrics are chosen by name, histograms by their own', async t => {
  const chosen = (name: string): boolean => name === 'took_seconds'
  t.same(read(`${histogram}a 1\n`, { chosen }).length, 1)
})

t.test('a reading with too many samples fails as a whole, and the next is whole', async t => {
  const s = scraper({ maxSamples: 2 })
  t.throws(() => s.read(Buffer.from('a 1\nb 2\nc 3\n'), 'text', time), {
    message: 'http://x/metrics: exposes more than max_samples, 2',
  })
  t.same(told(s.read(Buffer.from('a 1\nc 3\n'), 'text', time)), ['gauge a{} = 1', 'gauge c{} = 3'])
})

t.test('a label too long to be one fails the reading', async t => {
  t.throws(() => read(`a{x="${'y'.repeat(5000)}"} 1\n`), { message: /a label of a is longer than 4096 characters/ })
})

t.test('timestamps count if they are wanted, and one told before tells nothing new', async t => {
  const s = scraper()
  const text = Buffer.from(`a 1 ${time - 5000}\nb 2\n`)
  t.same(told(s.read(text, 'text', time)), ['gauge a{} = 1 @-5000', 'gauge b{} = 2'])
  t.same(told(s.read(text, 'text', time)), ['gauge b{} = 2'])
  t.same(told(s.read(Buffer.from(`a 1 ${time - 1000}\n`), 'text', time)), ['gauge a{} = 1 @-1000'])
  t.same(read(`a 1 ${time - 5000}\n`, { honorTimestamps: false }), ['gauge a{} = 1'])
  const ahead = scraper().read(Buffer.from(`a 1 ${time + 1e8}\nb 1 -5\nc 1\n`), 'text', time)
  t.same(told(ahead), ['gauge c{} = 1'])
  t.equal(ahead.odd, 'gives a timestamp that cannot be true')
})

t.test('a timestamp met in a reading that failed is not lost', async t => {
  const s = scraper()
  t.throws(() => s.read(Buffer.from(`a 1 ${time - 5000}\nb x\n`), 'text', time))
  t.same(told(s.read(Buffer.from(`a 1 ${time - 5000}\n`), 'text', time)), ['gauge a{} = 1 @-5000'])
})

t.test('a type that changes makes another series', async t => {
  const s = scraper()
  t.same(told(s.read(Buffer.from('# TYPE a gauge\na 1\n'), 'text', time)), ['gauge a{} = 1'])
  t.same(told(s.read(Buffer.from('# TYPE a counter\na 1\n'), 'text', time)), ['counter a{} = 1'])
})
