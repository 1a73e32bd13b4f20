import t from 'tap'
import type { Series } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { type ThresholdOptions, threshold } from '../../judge/detect/threshold.ts'
import { detectorContract, play, readOptions } from './detector-contract.ts'

const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: { zone: 2 } }
const rejects: Series = { name: 'press.rejects', unit: '{part}', kind: 'counter', attributes: {} }

detectorContract(t, threshold, { metric: heat.name, above: 60, clear: 40, for: '5s' }, heat)
detectorContract(t, threshold, { metric: rejects.name, above: 3 }, rejects)

function verdicts(plain: Record<string, unknown>, values: readonly number[], series = heat, interval = 1000) {
  const detector = threshold.open(readOptions(threshold, { metric: series.name, ...plain }))
  const happenings = values.map((value, n) => ({ time: n * interval, value }))
  return play(detector, series, happenings).flatMap((v, n) => {
    if (v === undefined) return []
    return [[n, 'until' in v ? `until ${v.until}` : `since ${v.since}`]]
  })
}

t.test('without a duration the first value beyond the limit counts, and the limit itself does not', t => {
  t.same(verdicts({ above: 90 }, [89, 90, 91, 92, 90, 91]), [
    [2, 'since 2000'],
    [4, 'until 4000'],
    [5, 'since 5000'],
  ])
  t.same(verdicts({ below: 10 }, [11, 10, 9, 10]), [
    [2, 'since 2000'],
    [3, 'until 3000'],
  ])
  t.end()
})

t.test('it must last, and began with the first value beyond', t => {
  t.same(verdicts({ above: 90, for: '3s' }, [91, 91, 91, 89, 91, 91, 91, 91, 91, 0]), [
    [7, 'since 4000'],
    [9, 'until 9000'],
  ])
  t.end()
})

t.test('between the limit and clear what is going on stays as it is', t => {
  t.same(verdicts({ above: 90, clear: 80 }, [85, 91, 85, 81, 80, 85, 91]), [
    [1, 'since 1000'],
    [4, 'until 4000'],
    [6, 'since 6000'],
  ])
  t.same(verdicts({ below: 10, clear: 20 }, [15, 9, 15, 20, 15]), [
    [1, 'since 1000'],
    [3, 'until 3000'],
  ])
  t.end()
})

t.test('with per it is the change in so long that is judged, up or down', t => {
  t.same(verdicts({ above: 5, per: '1m' }, [0, 4, 10, 10], heat, 60_000), [
    [2, 'since 120000'],
    [3, 'until 180000'],
  ])
  t.same(verdicts({ below: -5, per: '1s' }, [100, 96, 80, 99]), [
    [2, 'since 2000'],
    [3, 'until 3000'],
  ])
  t.end()
})

t.test('a counter is judged by its rate, whatever the interval', t => {
  t.same(verdicts({ above: 5 }, [1000, 1010, 1040, 1041, 1042], rejects, 2000), [
    [2, 'since 4000'],
    [3, 'until 6000'],
  ])
  t.end()
})

t.test('a counter that starts over is no rate at all', t => {
  t.same(verdicts({ below: 5 }, [1000, 1010, 3, 13, 23], rejects), [])
  t.same(verdicts({ above: 50 }, [1000, 1010, 900, 910], rejects), [])
  t.end()
})

t.test('the message says what, how much, and the limit', t => {
  const detector = threshold.open(readOptions(threshold, { metric: heat.name, above: 90, for: '1m' }))
  const found = play(detector, heat, [
    { time: 0, value: 95 },
    { time: 60_000, value: 95.4321 },
  ])[1]
  t.same(found, {
    since: 0,
    message: 'press.heat is 95.43, above 90 for 60 s',
    evidence: { value: 95.4321, above: 90, for_s: 60 },
  })
  t.end()
})

t.test('only the series meant are watched', t => {
  const plain = { metric: 'press.heat', where: { zone: 2 }, node: 'press-*-eu', above: 1 }
  const detector = threshold.open(readOptions(threshold, plain))
  t.ok(detector.watches('press-17-eu', heat))
  t.notOk(detector.watches('press-17-us', heat))
  t.notOk(detector.watches('press-eu', heat))
  t.notOk(detector.watches('press-17-eu', { ...heat, attributes: { zone: '2' } }))
  t.notOk(detector.watches('press-17-eu', { ...heat, name: 'press.heats' }))
  t.notOk(detector.watches('press-17-eu', undefined))
  t.end()
})

t.test('a pattern of many stars is quick', t => {
  const plain = { metric: 'press.heat', node: 'a*'.repeat(30).concat('b'), above: 1 }
  const detector = threshold.open(readOptions(threshold, plain))
  t.notOk(detector.watches('a'.repeat(64), heat))
  t.end()
})

const wrong: Readonly<Record<string, readonly [Record<string, unknown>, RegExp]>> = {
  'no limit': [{}, /either above or below/],
  'two limits': [{ above: 1, below: 0 }, /either above or below/],
  'clear on the wrong side of above': [{ above: 1, clear: 2 }, /clear must not be higher than above/],
  'clear on the wrong side of below': [{ below: 1, clear: 0 }, /clear must not be lower than below/],
  'a limit that is a text': [{ above: '90' }, /expected a number/],
  'an unknown key': [{ abov: 1 }, /did you mean above/],
  'a severity nobody knows': [{ above: 1, severity: 'fatal' }, /one of info, warning, error, critical/],
}

for (const [what, [plain, message]] of Object.entries(wrong)) {
  t.test(`options with ${what} are refused`, t => {
    const place = new Place()
    threshold.options.read({ metric: 'm', ...plain }, place) satisfies ThresholdOptions
    t.match(
      place.problems.map(p => p.message),
      [message],
    )
    t.end()
  })
}
