import t from 'tap'
import { derivations, openDeriver } from '../../../agent/prometheus/derive.ts'
import { parseExpression } from '../../../agent/prometheus/expression.ts'
import type { Attributes, Histogram } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'

const start = 1_790_000_000_000

/** `name{a=b}` -> value, a reading after the other, ten seconds apart. */
type Reading = Readonly<Record<string, number | Histogram>>

function derived(expr: string, readings: readonly Reading[], complete = true): Readonly<Record<string, number>>[] {
  const place = new Place()
  const read = derivations.read([{ name: 'd', expr }], place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  const deriver = openDeriver(read)
  return readings.map((reading, n) => {
    for (const [key, value] of Object.entries(reading)) {
      const [, name = '', pairs = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(key)!
      const attributes: Attributes = Object.fromEntries(
        pairs
          .split(',')
          .filter(Boolean)
          .map(pair => pair.split('=')),
      )
      for (const feed of deriver.feeds(name, attributes)) feed.elements.push({ attributes, value })
    }
    const samples = deriver.evaluate(start + n * 10_000, complete)
    return Object.fromEntries(
      samples.map(({ series, value }) => [
        Object.entries(series.attributes)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
        value,
      ]),
    )
  })
}

const once = (expr: string, reading: Reading) => derived(expr, [reading])[0]

t.test('series of equal attributes are joined, a number joins all', async t => {
  const reading = { 'used{osd=0}': 30, 'used{osd=1}': 90, 'used{osd=2}': 5, 'size{osd=0}': 100, 'size{osd=1}': 100 }
  t.same(once('used / size', reading), { 'osd=0': 0.3, 'osd=1': 0.9 })
  t.same(once('1 - used / size * 2 + 3', reading), { 'osd=0': 3.4, 'osd=1': 2.2 })
  t.same(once('-(used - 100) / 2', reading), { 'osd=0': 35, 'osd=1': 5, 'osd=2': 47.5 })
  t.same(once('used{osd="1"} / size', reading), { 'osd=1': 0.9 })
  t.same(once('used{osd=~"[12]",osd!="2"}', reading), { 'osd=1': 90 })
  t.same(once('used{osd!~"1|2", none=""}', reading), { 'osd=0': 30 })
  t.same(once('2 * 3', {}), { '': 6 })
})

t.test('what cannot be computed is absent', async t => {
  t.same(once('a / b', { a: 1, b: 0 }), {})
  t.same(once('a / b', { a: 0, b: 0 }), {})
  t.same(once('a / b', { a: 1 }), {})
  t.same(once('sum(a)', {}), {})
  t.same(once('abs(a - 1)', { a: 0 }), { '': 1 })
})

t.test('comparisons keep what they hold for, and bind weaker than sums', async t => {
  const reading = { 'a{x=1}': 1, 'a{x=2}': 20, 'b{x=1}': 5, 'b{x=2}': 0 }
  t.same(once('a > 1 + 2', reading), { 'x=2': 20 })
  t.same(once('a * 2 <= 2', reading), { 'x=1': 2 })
  t.same(once('a and b > 0', reading), { 'x=1': 1 })
  t.same(once('a >= b and b < 1 and a == 20', reading), { 'x=2': 20 })
  t.same(once('sum(a != 1)', reading), { '': 20 })
  t.same(once('5 > a', reading), { 'x=1': 1 })
  t.same(once('1 > 2', reading), {})
})

t.test('aggregations', async t => {
  const reading = { 'a{x=1,y=1}': 1, 'a{x=1,y=2}': 2, 'a{x=2,y=1}': 10 }
  t.same(once('sum(a)', reading), { '': 13 })
  t.same(once('sum by (x) (a)', reading), { 'x=1': 3, 'x=2': 10 })
  t.same(once('sum(a) by (x)', reading), { 'x=1': 3, 'x=2': 10 })
  t.same(once('sum without (x, "z") (a)', reading), { 'y=1': 11, 'y=2': 2 })
  t.same(once('max(a) - min(a)', reading), { '': 9 })
  t.same(once('avg by (x) (a)', reading), { 'x=1': 1.5, 'x=2': 10 })
  t.same(once('count(a)', reading), { '': 3 })
  t.same(once('quantile(0.75, a)', reading), { '': 6 })
  t.same(once('quantile(1, a) ', reading), { '': 10 })
})

t.test('an aggregation over targets is absent while one of them is', async t => {
  const reading = { 'a{server.address=x,server.port=1,q=1}': 1, 'a{server.address=x,server.port=1,q=2}': 2 }
  t.same(derived('sum(a)', [reading], false), [{}])
  t.same(derived('sum by (q) (a)', [reading], false), [{}])
  t.same(derived('sum without (q) (a)', [reading], false), [{ 'server.address=x,server.port=1': 3 }])
  t.same(derived('sum by ("server.address", server.port) (a)', [reading], false), [
    { 'server.address=x,server.port=1': 3 },
  ])
  t.same(derived('a * 2', [{ a: 1 }], false), [{ '': 2 }])
})

t.test('a rate is per second since the reading before; none at the first, after a reset, or after a gap', async t => {
  t.same(derived('rate(a)', [{ a: 100 }, { a: 150 }, { a: 20 }, { a: 20 }, {}, { a: 70 }, { a: 71 }]), [
    {},
    { '': 5 },
    {},
    { '': 0 },
    {},
    {},
    { '': 0.1 },
  ])
  t.same(
    derived('rate(s) / rate(c)', [
      { s: 1, c: 10 },
      { s: 3, c: 14 },
      { s: 3, c: 14 },
    ]),
    [{}, { '': 0.5 }, {}],
  )
})

const histogram = (counts: number[]): Histogram => ({
  count: counts.reduce((a, b) => a + b),
  sum: undefined,
  bounds: [0.1, 1, 10],
  counts,
})

t.test('quantiles of a histogram, of all it counted or of what came since', async t => {
  const one = { h: histogram([0, 10, 0, 0]) }
  t.same(once('histogram_quantile(0.5, h)', one), { '': 0.1 + 0.9 * 0.5 })
  t.same(once('histogram_quantile(0.5, h)', { h: histogram([10, 0, 0, 0]) }), { '': 0.05 })
  t.same(once('histogram_quantile(0.99, h)', { h: histogram([0, 0, 0, 7]) }), { '': 10 }, 'beyond the last bound')
  t.same(once('histogram_quantile(0.99, h)', { h: histogram([0, 0, 0, 0]) }), {}, 'nothing counted')
  const grows = [
    one,
    { h: histogram([0, 10, 10, 0]) },
    { h: histogram([0, 10, 10, 0]) },
    { h: histogram([0, 1, 0, 0]) },
  ]
  t.same(derived('histogram_quantile(0.5, rate(h))', grows), [{}, { '': 5.5 }, {}, {}])
  t.same(once('h + 1', one), {}, 'a histogram is no number')
  t.same(once('sum(h)', one), {})
})

t.test('the time is that of the reading, in seconds', async t => {
  t.same(once('time() - saved', { saved: start / 1000 - 90 }), { '': 90 })
})

const wrong: Readonly<Record<string, RegExp>> = {
  '': /expected a number, a metric or a function at character 1, got the end/,
  'a +': /got the end/,
  'a b': /expected an operator or the end at character 3, got b/,
  '(a': /expected \) at character 3, got the end/,
  'increase(a)': /there is no function increase; known are rate/,
  'quantile(2, a)': /a quantile is from 0 to 1/,
  'quantile(a)': /expected a number at character 10/,
  'a{b}': /expected =, !=, =~ or !~ at character 4, got }/,
  'a{b=c}': /expected a text in quotes/,
  'a{b=~"("}': /not closed/,
  'a ? 1': /expected an expression at character 3, got \? 1/,
  'a and': /got the end/,
  [`${'('.repeat(100)}a`]: /nested too deeply/,
  [`${'-'.repeat(100)}a`]: /nested too deeply/,
}

for (const [expr, message] of Object.entries(wrong)) {
  t.test(`the expression ${expr.slice(0, 20)} is a mistake in words`, async t => {
    t.throws(() => parseExpression(expr), { message })
    const place = new Place()
    derivations.read([{ name: 'd', expr }], place)
    t.equal(place.problems.length, 1)
  })
}

t.test('random text is an expression or an error', async t => {
  const random = seeded(t)
  const pieces = [
    'a',
    'sum',
    'rate',
    '(',
    ')',
    '{',
    '}',
    ' by ',
    '"x"',
    '=',
    '=~',
    ',',
    '1',
    '.5',
    '+',
    '/',
    '-',
    '\n',
    '€',
  ]
  for (let round = 0; round < 20_000; round++) {
    const source = Array.from({ length: random.below(10) }, () => random.pick(pieces)).join('')
    try {
      parseExpression(source)
    } catch (error) {
      if (!(error instanceof Error)) throw error
    }
  }
  t.pass()
})
