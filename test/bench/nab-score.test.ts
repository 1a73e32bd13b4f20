// The benchmark's own example figures cannot be had offline; these are worked out by hand from its published formulas.

import t from 'tap'
import { bestOf, learningOf, partAt, type Scored, scoreAt } from '../../bench/nab-score.ts'

const rows = 1000
/** 150 rows are for learning. */
const window = [500, 599] as const

function series(
  detections: Readonly<Record<number, number>>,
  windows: readonly (readonly [number, number])[] = [window],
): Scored {
  const scores = new Float64Array(rows)
  for (const [row, score] of Object.entries(detections)) scores[Number(row)] = score
  return { name: 'x', scores, windows }
}

const sigmoid = (y: number) => 2 / (1 + Math.exp(5 * y)) - 1
const near = (a: number, b: number) => Math.abs(a - b) < 1e-9

t.test('15 % are for learning, of 5,000 rows at most', async t => {
  t.equal(learningOf(4032), 604)
  t.equal(learningOf(22_695), 750)
})

t.test('the first row of a window is worth all, the last nearly nothing, and only the best counts', async t => {
  t.ok(near(partAt(series({ 500: 1 }), 1, 'standard').points, 1))
  t.ok(near(partAt(series({ 599: 1 }), 1, 'standard').points, sigmoid(-0.01) / sigmoid(-1)))
  t.ok(near(partAt(series({ 520: 1, 599: 1 }), 1, 'standard').points, sigmoid(-0.8) / sigmoid(-1)))
})

t.test('silence is 0 and perfection 100 in each profile', async t => {
  for (const profile of ['standard', 'low_fp', 'low_fn'] as const) {
    t.equal(scoreAt([series({})], 0.5, profile), 0)
    t.ok(near(scoreAt([series({ 500: 1 })], 0.5, profile), 100))
  }
})

t.test('a false alarm costs all before the first window and far behind, less just behind one', async t => {
  const cost = (row: number) => partAt(series({ 500: 1, [row]: 1 }), 1, 'standard').points - 1
  t.ok(near(cost(300), -0.11))
  t.ok(near(cost(609), 0.11 * sigmoid(10 / 99)))
  t.ok(near(cost(950), -0.11))
  t.ok(near(partAt(series({ 500: 1, 300: 1 }), 1, 'low_fp').points, 1 - 0.22))
})

t.test('what lies within learning neither costs nor counts', async t => {
  t.same(partAt(series({ 100: 1 }), 1, 'standard'), { found: 0, missed: 1, false_alarms: 0, points: -1 })
  t.equal(scoreAt([series({ 20: 1 }, [[10, 30]])], 1, 'standard'), 0)
})

t.test('the best threshold weighs what is found against what it costs, ties all at once', async t => {
  const detections = { 300: 0.9, 500: 0.8, 700: 0.5, 800: 0.5 }
  const { threshold, score } = bestOf([series(detections)], 'standard')
  t.equal(threshold, 0.8)
  t.ok(near(score, scoreAt([series(detections)], 0.8, 'standard')))
  t.ok(near(score, (100 * (1 - 0.11 + 1)) / 2))
  t.same(bestOf([series({ 300: 0.9 })], 'standard'), { threshold: Number.POSITIVE_INFINITY, score: 0 })
})
