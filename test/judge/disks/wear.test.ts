import t from 'tap'
import { day } from '../../../judge/disks/past.ts'
import { beginWear, observeWear, type Wear, wearOut } from '../../../judge/disks/wear.ts'

const start = Date.UTC(2026, 0, 1)

/** A reading a day for so many days, in whole hundredths. */
function worn(days: number, usedAt: (day: number) => number): Wear {
  const wear = beginWear()
  for (let n = 0; n < days; n++) observeWear(wear, 'A', start + n * day, Math.floor(usedAt(n) * 100) / 100)
  return wear
}

t.test('a steady wear has a date, and the interval holds it', async t => {
  const wear = worn(400, n => 0.1 + n * 0.001)
  const out = wearOut(wear)
  const due = start + 900 * day
  if (!out.known) throw new Error(out.sentence)
  t.ok(Math.abs(out.at! - due) < 20 * day, out.sentence)
  t.ok(out.from! <= due && due <= out.to!, out.sentence)
  t.match(out.sentence, /^4\d % of its endurance is used; worn out about 2028-/)
})

t.test('one that changes its pace has a wide interval', async t => {
  const spread = (out: ReturnType<typeof wearOut>) => (out.known && out.from && out.to ? out.to - out.from : Number.NaN)
  const steady = spread(wearOut(worn(300, n => n * 0.001)))
  const changing = spread(wearOut(worn(300, n => (n < 150 ? n * 0.0008 : 0.12 + (n - 150) * 0.002))))
  t.ok(changing > 2 * steady, `${changing / day} and ${steady / day} days`)
})

t.test('without ground it is unknown', async t => {
  t.match(wearOut(beginWear()), { known: false })
  t.match(wearOut(worn(400, () => 0.3)), { known: false, sentence: /how fast is unknown: 0 steps seen in 399 days/ })
  t.match(wearOut(worn(10, n => n / 100)), { known: false })
})

t.test('past its endurance it says so', async t => {
  t.match(wearOut(worn(10, () => 1.04)), { known: true, sentence: /104 % .* past what its maker promises/ })
})

t.test('values that are none, old readings and another drive', async t => {
  const wear = worn(40, n => n / 100)
  for (const [time, used] of [
    [start + 99 * day, Number.NaN],
    [Number.NaN, 0.5],
    [start, 0.5],
    [start + 99 * day, 255],
  ] as const)
    t.notOk(observeWear(wear, 'A', time, used))
  t.ok(observeWear(wear, 'B', start, 0.01))
  t.strictSame(wear.used, [0.01])
})

t.test('bounded for a drive that is worn a thousand times over', async t => {
  const wear = beginWear()
  for (let n = 0; n < 5000; n++) observeWear(wear, 'A', start + n * day, n / 1000)
  t.ok(wear.at.length <= 64)
  t.strictSame(JSON.parse(JSON.stringify(wear)), wear)
})
