// Small cases worked out by hand from the definition, and one whose figure the reference code gave (TSB-AD, RangeAUC_volume_opt).

import t from 'tap'
import { averagePrecision, period, rocArea, volume } from '../../bench/vus.ts'

const near = (a: number, b: number) => Math.abs(a - b) < 1e-12

t.test('row by row, equal scores are one step', async t => {
  t.ok(near(averagePrecision([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0]), 0.5 * 1 + 0.5 * (2 / 3)))
  t.ok(near(rocArea([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0]), 0.75))
  t.ok(near(averagePrecision([1, 1, 1, 1], [1, 0, 0, 0]), 0.25))
  t.ok(near(rocArea([1, 1, 1, 1], [1, 0, 0, 0]), 0.5))
})

t.test('without a buffer recall counts in proportion to how many anomalies were found', async t => {
  // Anomalies in rows 1 and 3-4; thresholds at the ranks 1 to 6. Found after each: 1 of 1, 1 of 2, 2 of 3, 3 of 4 ...
  const labels = [0, 1, 0, 1, 1, 0]
  const scores = [0.1, 0.9, 0.8, 0.7, 0.6, 0.05]
  // Recall times the share of the two anomalies found: 1/3 x 1/2, the same, 2/3 x 1, 1, 1, 1.
  const expected = (1 / 6) * 1 + (2 / 3 - 1 / 6) * (2 / 3) + (1 - 2 / 3) * (3 / 4)
  t.ok(near(volume(scores, labels, 0, 6).pr, expected))
})

t.test('rows in the buffer are partly right, and wanted only where they are found', async t => {
  // One anomaly, row 2; with a buffer of 2 rows 1 and 3 have a label of sqrt(1/2).
  const labels = [0, 0, 1, 0, 0]
  const scores = [0.1, 0.2, 0.9, 0.8, 0.3]
  const half = Math.SQRT1_2
  // Ranks: row 2, 3, 4, 1, 0. Right: 1, 1 + half ... of 1, 1 + half / 2 ..., so recall is 1 from the first on.
  const widths = [1, 1, 1]
  t.ok(near(volume(scores, labels, 2, 5).pr, widths.reduce((a, b) => a + b) / 3))
  // The same where the row before is the highest: without buffer 1 of 2, as with a buffer of 1, which reaches no row; with 2
  // it is found by half of (1 + half / 2), at a precision of half of one row, then both.
  const led = [0.1, 0.95, 0.9, 0.3, 0.2]
  const first = half / (1 + half / 2)
  const wide = first * half + (1 - first) * ((1 + half) / 2)
  t.ok(near(volume(led, labels, 2, 5).pr, (0.5 + 0.5 + wide) / 3))
})

t.test('a ROC of perfect scores is 1', async t => {
  const labels = [0, 0, 0, 1, 0, 0, 0, 0]
  t.ok(near(volume([0, 0, 0, 1, 0, 0, 0, 0], labels, 0, 8).roc, 1))
})

t.test('the reference code gives the same', async t => {
  const labels = Array.from({ length: 64 }, (_, n) => ((n >= 10 && n < 15) || (n >= 38 && n < 44) ? 1 : 0))
  const scores = Array.from({ length: 64 }, (_, n) => 0.02 + (0.16 * n) / 63)
  for (const [n, value] of [0.25, 0.55, 0.72, 0.91, 0.84, 0.63, 0.31].entries()) scores[9 + n] = value
  for (const [n, value] of [0.22, 0.48, 0.68, 0.93, 0.87, 0.79, 0.56, 0.29].entries()) scores[37 + n] = value
  scores[53] = 0.62
  t.ok(Math.abs(volume(scores, labels, 11).pr - 0.9750688705234158) < 1e-12)
})

t.test('the period is the lag at which a series is most like itself', async t => {
  t.equal(period(Array.from({ length: 2000 }, (_, n) => Math.sin((2 * Math.PI * n) / 50))), 50)
  t.equal(period([1, 2, 3, 4]), 125)
})
