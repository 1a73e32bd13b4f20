import t from 'tap'
import type { Bearing } from '../../bench/bearings/data.ts'
import { measure, type Told } from '../../bench/bearings/measures.ts'
import { foretold, moments, replay } from '../../bench/bearings/replay.ts'
import { rivals } from '../../bench/bearings/rivals.ts'

const rows = 400
const onset = 200

/** Grows from 1 to 5 from the middle on; a little noise that repeats. */
function bearing(name: string, tail: number): Bearing {
  const times = Array.from({ length: rows }, (_, n) => (n + 1) * 10_000)
  const values = times.map((_, n) => {
    const worn = Math.max(0, n - onset) / (rows - onset)
    return 5 ** worn * (1 + 0.03 * Math.sin(n * 1.7)) * (n > 350 ? tail : 1)
  })
  return { name, times, features: new Map([['rms_h', values]]) }
}

t.test('onset is told once, and moments know nothing of what comes after them', t => {
  const run = replay(bearing('a', 1), 'rms_h')
  t.equal(run.falseOnsets, 0)
  t.ok(run.told! > onset && run.told! < onset + 80, `row ${run.told}`)
  const other = replay(bearing('b', 3), 'rms_h')
  const [one, same] = [run, other].map(r => moments(r, 'rms_h', [0.25])[0]!)
  t.same(foretold(one!), foretold(same!))
  t.equal(one!.left, 10_000 * (rows - 1 - one!.row))
  t.end()
})

t.test('rivals foretell a straight line well, and the interval holds it', t => {
  const [run, other] = [bearing('a', 1), bearing('b', 1)].map(one => replay(one, 'rms_h'))
  const moment = moments(run!, 'rms_h', [0.5])[0]!
  for (const name of ['exponential', 'wiener']) {
    const said = rivals[name]!(moment, [other!])!
    t.ok(Math.abs(said.at! / moment.left - 1) < 0.3, `${name}: ${said.at} of ${moment.left}`)
  }
  const { from, to } = rivals.wiener!(moment, [other!])!
  t.ok(from! < moment.left && moment.left < to!)
  t.end()
})

t.test('errors, intervals and the score of PHM 2012 are as defined', t => {
  const told = (left: number, at?: number, from = 0, to = 0): Told => ({
    share: 0.25,
    left,
    said: at === undefined ? undefined : { from, at, to },
  })
  const figures = measure([told(100, 80, 50, 120), told(100, 105, 101, 110), told(100)])
  t.equal(figures.relative_error.at_25, 0.13)
  t.equal(figures.coverage, 0.5)
  t.equal(figures.told, 0.67)
  // 20 % early and 5 % late score a half each, silence nothing.
  t.equal(figures.phm_score, 0.333)
  t.end()
})
