import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Counter, Gauge, Histogram, Registry, type RegistryContentType, Summary } from 'prom-client'
import t from 'tap'
import { Exposition, type Format, type NewSample } from '../../../agent/prometheus/exposition.ts'
import { type Random, seeded } from '../../random.ts'

interface Taken {
  readonly sample: NewSample
  readonly value: number
  readonly time: number | undefined
}

function reader(origin = 'http://x/metrics') {
  let made = 0
  const exposition = new Exposition(origin, sample => {
    made++
    return sample
  })
  return {
    get made() {
      return made
    },
    read(text: string | Buffer, format: Format = 'text'): Taken[] {
      const taken: Taken[] = []
      exposition.read(Buffer.from(text), format, (sample, value, time) => taken.push({ sample, value, time }))
      return taken
    },
  }
}

/** `type name{label=value} value @time` */
function told({ sample: { name, labels, family }, value, time }: Taken): string {
  const pairs = labels.map(([key, text]) => `${key}=${text}`).join(',')
  return `${family?.type ?? 'none'} ${name}{${pairs}} ${value}${time === undefined ? '' : ` @${time}`}`
}

const read = (text: string, format?: Format): string[] => reader().read(text, format).map(told)

t.test('the text format, with blanks where it allows them', async t => {
  const text = `# HELP a_total How many\\nthere were "so far" \\\\
# TYPE a_total counter
a_total{method="post",code="200"} 1027 1395066363000
  a_total { method = "get" , code="400", }\t3   -7

# a comment
#TYPE b gauge
b -12.25
c 1.458255915e9
d_1:x NaN
e{} +Inf
e{x="}{,\\"=\\\\\\n"} -Inf
f 00.500
g .5
h 1.
i -0
j 123456789012345678
k 0.1000000000000000055511151231257827
`
  t.same(read(text), [
    'counter a_total{method=post,code=200} 1027 @1395066363000',
    'counter a_total{method=get,code=400} 3 @-7',
    'none b{} -12.25',
    'none c{} 1458255915',
    'none d_1:x{} NaN',
    'none e{} Infinity',
    'none e{x=}{,"=\\\n} -Infinity',
    'none f{} 0.5',
    'none g{} 0.5',
    'none h{} 1',
    'none i{} 0',
    'none j{} 123456789012345680',
    'none k{} 0.1',
  ])
})

t.test('OpenMetrics: units, seconds, exemplars, created, info and state sets', async t => {
  const text = `# TYPE foo_seconds counter
# UNIT foo_seconds seconds
# HELP foo_seconds A text with \\"escapes\\".
foo_seconds_total{a="b"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.1
foo_seconds_created{a="b"} 1520430000.123
# TYPE h histogram
h_bucket{le="0.1"} 8 # {} 0.054
h_bucket{le="+Inf"} 17 # {trace_id="o # } "} 9.8
h_count 17
h_sum 324789.3
# TYPE build info
build_info{version="1"} 1
# TYPE state stateset
state{state="up"} 1
# EOF
`
  const made = reader().read(text, 'openmetrics')
  t.same(made.map(told), [
    'counter foo_seconds_total{a=b} 17 @1520879607789',
    'counter foo_seconds_created{a=b} 1520430000.123',
    'histogram h_bucket{le=0.1} 8',
    'histogram h_bucket{le=+Inf} 17',
    'histogram h_count{} 17',
    'histogram h_sum{} 324789.3',
    'info build_info{version=1} 1',
    'stateset state{state=up} 1',
  ])
  t.equal(made[0]!.sample.family?.unit, 'seconds')
  t.same(read('# EOF', 'openmetrics'), [])
})

t.test('quoted names of Prometheus 3', async t => {
  const text = `# TYPE "http.server.duration" gauge
{"http.server.duration","net.host.name"="ä\\"b",code="200"} 1
{"with space"} 2
{ "x" } 3
# TYPE plain counter
{"plain"} 4
`
  t.same(read(text), [
    'gauge http.server.duration{net.host.name=ä"b,code=200} 1',
    'none with space{} 2',
    'none x{} 3',
    'counter plain{} 4',
  ])
})

const wrong: Readonly<Record<string, readonly [string, RegExp, Format?]>> = {
  'no value': ['a\n', /expected a number in line 1, got ""/],
  'a cut number': ['a 1', /expected a number in line 1/],
  'a cut line': ['a 1\n# HELP b', /expected the end of the line in line 2, got the end/],
  'a value that is none': ['a 1\nb 1x\n', /expected a number in line 2, got "1x"/],
  'a hexadecimal number': ['a 0x10\n', /expected a number/],
  'nothing but a sign': ['a -\n', /expected a number/],
  'two points': ['a 1.2.3\n', /expected a number/],
  'an empty name': ['{a="b"} 1\n', /expected a metric name/],
  'a name that begins with a digit': ['1a 1\n', /expected a metric name/],
  'a name with a dot': ['a.b 1\n', /expected a number/],
  'a label without quotes': ['a{b=c} 1\n', /expected a value in quotes/],
  'a label without a value': ['a{b} 1\n', /expected =/],
  'labels that do not end': ['a{b="c"\n', /expected the end of the labels/],
  'a quote that does not end': ['a{b="c} 1\nd{e="f"} 2\n', /expected the closing quote in line 1/],
  'labels without a comma': ['a{b="c"d="e"} 1\n', /expected a comma/],
  'a label twice': ['a{b="c",b="d"} 1\n', /expected the label b once/],
  'a colon in a label': ['a{b:c="d"} 1\n', /expected =/],
  'bytes that are no UTF-8': ['a{b="\xff"} 1\n', /expected UTF-8/],
  'something behind the timestamp': ['a 1 2 3\n', /expected the end of the line/],
  'a timestamp that is a fraction': ['a 1 2.5\n', /expected a timestamp in milliseconds/],
  'an unknown type': ['# TYPE a fast\n', /expected one of counter, gauge/],
  'a type said twice': ['# TYPE a gauge\n# TYPE a counter\n', /expected one type of a in line 2/],
  'a type said too late': ['a_total 1\n# TYPE a counter\n', /expected what is said of a before its samples in line 2/],
  HTML: ['<html>\n', /expected a metric name in line 1, got "<html>"/],
  'OpenMetrics without its end': ['a 1\n', /expected # EOF/, 'openmetrics'],
  'OpenMetrics that goes on behind its end': ['# EOF\na 1\n', /expected nothing behind # EOF/, 'openmetrics'],
  'an exemplar without labels': ['a_total 1 # 2\n# EOF\n', /expected/, 'openmetrics'],
}

for (const [what, [text, message, format]] of Object.entries(wrong)) {
  t.test(`${what} is an error that names origin and line`, async t => {
    t.throws(() => reader().read(Buffer.from(text, 'latin1'), format), { message })
    t.throws(() => reader().read(Buffer.from(text, 'latin1'), format), { message: /^http:\/\/x\/metrics: / })
  })
}

t.test('what is known is made once, whatever the order, and read again with its new value', async t => {
  const r = reader()
  const lines = Array.from({ length: 100 }, (_, n) => `m${n % 7}{n="${n}"}`)
  const random = seeded(t)
  const exposed = (): [string, Map<string, number>] => {
    const shown = lines.filter(() => random.below(4) > 0).sort(() => random() - 0.5)
    const values = new Map(shown.map(line => [line, random.below(1000)]))
    return [[...values].map(([line, value]) => `${line} ${value}\n`).join(''), values]
  }
  for (let round = 0; round < 50; round++) {
    const [text, values] = exposed()
    const taken = r.read(text).map(({ sample, value }) => [`${sample.name}{n="${sample.labels[0]![1]}"}`, value])
    t.strictSame(new Map(taken as [string, number][]), values)
  }
  t.equal(r.made, 100)
})

t.test('a name is not taken for another that it begins, nor for one with labels', async t => {
  const r = reader()
  r.read('up 1\nup_since 2\n')
  t.same(r.read('up_since 3\nup {a="b"} 4\nup 5\n').map(told), ['none up_since{} 3', 'none up{a=b} 4', 'none up{} 5'])
})

t.test('a family that changes its type is made anew', async t => {
  const r = reader()
  r.read('# TYPE a gauge\na 1\nb 1\n')
  t.same(r.read('# TYPE a counter\na 2\nb 2\n').map(told), ['counter a{} 2', 'none b{} 2'])
  t.same(r.read('# TYPE a gauge\na 3\n').map(told), ['gauge a{} 3'])
  t.same(r.read('a 4\n# TYPE b counter\nb 4\n').map(told), ['gauge a{} 4', 'counter b{} 4'])
  t.throws(() => r.read('# TYPE a gauge\n# TYPE a counter\n'), { message: /expected one type of a in line 2/ })
  t.throws(() => r.read('# TYPE a gauge\n# TYPE a counter\n'), { message: /expected one type of a in line 2/ })
})

t.test('lines that come and go are forgotten', async t => {
  const r = reader()
  for (let n = 0; n < 5000; n++) r.read(`a{pod="${n}"} 1\n`)
  t.equal(r.made, 5000)
  r.read('a{pod="0"} 1\n')
  t.equal(r.made, 5001)
})

function registry(): Registry<RegistryContentType> {
  const registers = [new Registry<RegistryContentType>()]
  const counter = new Counter({ name: 'requests_total', help: 'a \\ "b"\n', labelNames: ['path'], registers })
  counter.inc({ path: '/a"b\\c\nd' }, 3)
  counter.inc({ path: '' }, 0.5)
  new Gauge({ name: 'heat_celsius', help: 'heat', registers }).set(-1.5e-7)
  const histogram = new Histogram({
    name: 'took_seconds',
    help: 'took',
    labelNames: ['verb'],
    buckets: [0.1, 1],
    registers,
  })
  for (const value of [0.05, 0.5, 5, 7]) histogram.observe({ verb: 'GET' }, value)
  const summary = new Summary({ name: 'size_bytes', help: 'size', percentiles: [0.5, 0.99], registers })
  for (const value of [1, 2, 3]) summary.observe(value)
  return registers[0]!
}

t.test('what prom-client writes in both formats is read as it says itself', async t => {
  for (const format of ['text', 'openmetrics'] as const) {
    const all = registry()
    if (format === 'openmetrics') all.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const wanted = (await all.getMetricsAsJSON()).flatMap(({ name, type, values }) =>
      values.map(v => {
        const labels = Object.entries(v.labels).map(([key, value]) => `${key}=${value}`.replace('=Infinity', '=+Inf'))
        const suffix =
          format === 'openmetrics' && String(type) === 'counter' && !name.endsWith('_total') ? '_total' : ''
        return `${type} ${('metricName' in v && v.metricName) || name + suffix}{${labels.sort()}} ${v.value}`
      }),
    )
    const made = reader().read(await all.metrics(), format)
    const sorted = made.map(m => told({ ...m, sample: { ...m.sample, labels: m.sample.labels.toSorted() } }))
    t.strictSame(sorted.toSorted(), wanted.toSorted())
  }
})

const recorded = ['rabbitmq', 'redis', 'node'].map(name => join(import.meta.dirname, 'recorded', `${name}.txt`))

/** Bytes changed, cut out, doubled, or the end cut off. */
function damaged(random: Random, whole: Buffer): Buffer {
  const bytes = Buffer.from(whole.subarray(0, random.below(3) === 0 ? random.below(whole.length) : whole.length))
  for (let n = random.below(4); n > 0 && bytes.length > 0; n--) {
    bytes[random.below(bytes.length)] = random.pick([0, 10, 32, 34, 35, 44, 61, 92, 123, 125, random.below(256)])
  }
  const at = random.below(bytes.length + 1)
  const more = random.below(3) === 0 ? bytes.subarray(at, at + random.below(200)) : Buffer.alloc(0)
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + random.below(2) * random.below(100))])
}

t.test(
  'damaged recordings are read or refused by an error that names the origin, and spoil no later reading',
  async t => {
    const random = seeded(t)
    for (const file of recorded) {
      const whole = readFileSync(file)
      const r = reader(file)
      const truth = r.read(whole).map(told)
      for (let round = 0; round < 150; round++) {
        try {
          r.read(damaged(random, whole), random.pick(['text', 'openmetrics']))
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith(`${file}: expected `)) throw error
        }
      }
      t.strictSame(r.read(whole).map(told), truth)
    }
  },
)

t.test('a cut recording gives a beginning of what the whole gives, or an error', async t => {
  const random = seeded(t)
  for (const file of recorded) {
    const whole = readFileSync(file)
    const truth = reader(file).read(whole).map(told)
    for (let round = 0; round < 100; round++) {
      const taken: Taken[] = []
      const exposition = new Exposition(file, sample => sample)
      const cut = whole.subarray(0, random.below(whole.length))
      try {
        exposition.read(cut, 'text', (sample, value, time) => taken.push({ sample, value, time }))
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith(`${file}: expected `)) throw error
      }
      const told_ = taken.map(told)
      if (told_.some((line, n) => line !== truth[n])) t.fail(`cut at ${cut.length}`)
    }
    t.pass(file)
  }
})

t.test('random bytes are never more than an error', async t => {
  const random = seeded(t)
  const pieces = [
    'a',
    '_',
    '{',
    '}',
    '"',
    '\\',
    '\n',
    ' ',
    '#',
    '# TYPE ',
    '=',
    ',',
    '1',
    '.',
    'e',
    'NaN',
    '\xff',
    '# EOF',
  ]
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(12) }, () => random.pick(pieces)).join(''), 'latin1')
    try {
      reader().read(bytes, random.pick(['text', 'openmetrics']))
    } catch (error) {
      if (!(error instanceof Error) || !/^http:\/\/x\/metrics: expected /.test(error.message)) throw error
    }
  }
  t.pass()
})
