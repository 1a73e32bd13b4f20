import t from 'tap'
import { features } from '../../../judge/disks/features.ts'
import { type Model, pack, unpack } from '../../../judge/disks/model.ts'
import { begin, day, observe, type Past } from '../../../judge/disks/past.ts'
import type { Reading } from '../../../judge/disks/reading.ts'
import { type Assessment, assess } from '../../../judge/disks/score.ts'
import { logOdds } from '../../../judge/disks/trees.ts'
import { weights } from '../../../judge/disks/weights.ts'
import { seeded } from '../../random.ts'

const start = Date.UTC(2026, 0, 1)
const model: Model = unpack(weights)
const sound = { reallocated: 0, uncorrected: 0, pending: 0, unreadable: 0, power_cycles: 12, timeouts: 0 }

/** Read daily for so many days after two years of power-on time. */
function lived(days: number, countsAt: (day: number) => Reading['counts'], more: Partial<Reading> = {}): Past {
  const past = begin()
  for (let n = 0; n < days; n++)
    observe(past, { time: start + n * day, drive: 'A', hours: 17_520 + n * 24, counts: countsAt(n), ...more })
  return past
}

const now = (past: Past) => assess(model, past, past.time + 1)

function scored(past: Past): Assessment & { known: true } {
  const found = now(past)
  if (!found.known) throw new Error(found.sentence)
  return found
}

t.test('a sound drive is quiet, and far from failing', async t => {
  const found = scored(lived(200, () => sound))
  t.equal(found.level, undefined)
  t.ok(found.probability < 0.005, found.sentence)
})

t.test('an old drive whose counts stand still stays quiet', async t => {
  const found = scored(lived(400, () => ({ ...sound, reallocated: 24, uncorrected: 2 })))
  t.ok(found.level === undefined || found.level === 'watch', found.sentence)
  t.ok(found.probability < 0.05, found.sentence)
})

t.test('one whose sectors fail by the day is critical, and it is said why', async t => {
  const dying = (n: number) => {
    const bad = Math.max(0, n - 180) * 8
    return { ...sound, reallocated: bad, uncorrected: Math.floor(bad / 4), pending: bad, unreadable: bad }
  }
  const past = lived(200, dying)
  const found = scored(past)
  t.equal(found.level, 'critical', found.sentence)
  t.ok(found.probability > 0.2, found.sentence)
  t.match(found.sentence, /^fails within 30 days with a probability of \d+ %/)
  t.ok(
    found.reasons.some(r => /sectors|errors/.test(r.words)),
    found.sentence,
  )
  t.strictSame(
    [...found.reasons].sort((a, b) => b.weight - a.weight),
    found.reasons,
  )
})

t.test('the trend is of the scores of a week and more', async t => {
  const past = begin()
  const trends: string[] = []
  for (let n = 0; n < 60; n++) {
    const bad = Math.max(0, n - 40) * 16
    const counts = { ...sound, pending: bad, uncorrected: bad }
    observe(past, { time: start + n * day, drive: 'A', hours: 17_520 + n * 24, counts })
    const found = now(past)
    trends.push(found.known ? found.trend : '')
  }
  t.equal(trends[0], 'unknown')
  t.equal(trends[39], 'steady')
  t.equal(trends[45], 'rising')
  t.ok(past.scores.length <= 30)
})

t.test('more damage is never better', async t => {
  const rng = seeded(t)
  const x = new Float64Array(features.length)
  for (let n = 0; n < 3000; n++) {
    features.forEach(({ name }, f) => {
      x[f] = rng() < 0.1 ? Number.NaN : rng() < 0.5 ? 0 : rng.below(name.includes('days') ? 720 : 50)
    })
    const f = rng.below(features.length)
    const { direction, name } = features[f]!
    if (direction === 0 || Number.isNaN(x[f]!)) continue
    const before = logOdds(model.forest, x)
    x[f]! += 1 + rng.below(100)
    const change = direction * (logOdds(model.forest, x) - before)
    if (change < -0.02) t.fail(`${name}: ${change}`)
  }
  t.pass()
})

t.test('without ground it is unknown, and it is said why', async t => {
  t.match(now(lived(3, () => ({ power_cycles: 4 }))), { known: false, sentence: /reports none of the counts/ })
  t.match(now(lived(3, () => sound, { medium: 'flash' })), { known: false, sentence: /flash/ })
  const quiet = lived(3, () => sound)
  t.match(assess(model, quiet, quiet.time + 20 * day), {
    known: false,
    sentence: /nothing was read from it for 20 days/,
  })
  t.match(now(begin()), { known: false })
})

t.test('a drive that reports fewer attributes is scored by what it reports', async t => {
  const found = scored(lived(100, n => ({ reallocated: n > 90 ? (n - 90) * 40 : 0 })))
  t.ok(found.probability > 0.01, found.sentence)
})

t.test('a model survives being kept as text; weights of other features are refused', async t => {
  t.strictSame(pack(unpack(weights)), weights)
  const other = JSON.stringify({ ...JSON.parse(weights), features: ['age'] })
  t.throws(() => unpack(other), /train anew/)
})

t.test('the weights say where they come from and how good they are', async t => {
  t.match(model.about, { source: /Backblaze/, date: /^\d{4}-\d\d-\d\d$/, seed: Number, drives: Number, auc: Number })
  t.ok(weights.length < 400_000)
})
