import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import type { Series } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { condition } from '../../judge/condition.ts'
import { labelOf, Rule, type RuleState } from '../../judge/rule.ts'
import { seeded } from '../random.ts'

const spo2: Series = { name: 'spo2', unit: '%', kind: 'gauge', attributes: { bed: 2 } }
const other: Series = { ...spo2, attributes: { bed: 3 } }
const pressure: Series = { name: 'pressure', unit: 'bar', kind: 'gauge', attributes: {} }
const strokes: Series = { name: 'strokes', unit: '1', kind: 'counter', attributes: {} }

function parsed(raw: unknown): Rule {
  const place = new Place()
  const read = condition.read(raw, place)
  deepStrictEqual(place.problems, [])
  return new Rule(read)
}

/** What happens at a time: a value of a series, or nothing. */
type Step = readonly [now: number, series?: Series, value?: number, source?: string]

function play(rule: Rule, steps: readonly Step[], through = (state: RuleState) => state): (boolean | undefined)[] {
  let state = rule.start(0)
  return steps.map(([now, series, value, source = 'plc']) => {
    state = through(state)
    if (series !== undefined)
      for (const n of rule.watches(source, series)) rule.see(state, n, labelOf(series), series, 1e12 + now, value!, now)
    return rule.holds(state, now)
  })
}

t.test('a threshold with hysteresis, for any series that it fits', t => {
  const rule = parsed({ metric: 'spo2', below: 90, clear: 92 })
  const steps: Step[] = [
    [0],
    [1, spo2, 95],
    [2, spo2, 89],
    [3, spo2, 91],
    [4, other, 95],
    [5, spo2, 93],
    [6, other, 80],
  ]
  t.strictSame(play(rule, steps), [undefined, false, true, true, true, false, true])
  const bed3 = parsed({ metric: 'spo2', where: { bed: 3 }, source: 'monitor', below: 90 })
  t.strictSame(
    play(bed3, [
      [1, spo2, 80, 'monitor'],
      [2, other, 80, 'plc'],
      [3, other, 80, 'monitor'],
    ]),
    [undefined, undefined, true],
  )
  t.end()
})

t.test('how long it lasts is judged by the time it came, without any further value', t => {
  const rule = parsed({ metric: 'pressure', above: 10, for: '10s' })
  const steps: Step[] = [[0, pressure, 9], [1000, pressure, 11], [10_999], [11_000], [12_000, pressure, 9], [13_000]]
  t.strictSame(play(rule, steps), [false, false, false, true, false, false])
  const dips: Step[] = [[0, pressure, 11], [5000, pressure, 9], [5001, pressure, 11], [10_001], [15_001]]
  t.strictSame(play(rule, dips), [undefined, false, false, false, true], 'a dip begins it anew; before, nobody knew')
  t.end()
})

t.test('the rate of change, up and down, of gauges and counters', t => {
  const falling = parsed({ metric: 'pressure', below: -5, per: '1m' })
  const steps: Step[] = [
    [0, pressure, 10],
    [60_000, pressure, 6],
    [120_000, pressure, 0],
    [180_000, pressure, 0],
  ]
  t.strictSame(play(falling, steps), [undefined, false, true, false])
  const fast = parsed({ metric: 'strokes', above: 2 })
  t.strictSame(
    play(fast, [
      [0, strokes, 5],
      [1000, strokes, 6],
      [2000, strokes, 9],
      [3000, strokes, 0],
    ]),
    [undefined, false, true, true],
  )
  t.end()
})

t.test('missing values: those that never came, and those that come no more', t => {
  const rule = parsed({ metric: 'spo2', silent_for: '10s' })
  t.strictSame(play(rule, [[0], [9999], [10_000], [11_000, spo2, 90], [20_999], [21_000], [22_000, spo2, 90]]), [
    undefined,
    undefined,
    true,
    false,
    false,
    true,
    false,
  ])
  t.end()
})

t.test('all and any, over sources, decide as soon as a part decides', t => {
  const parts = [
    { metric: 'spo2', source: 'a', below: 90 },
    { metric: 'pressure', source: 'b', above: 10 },
  ]
  const steps: Step[] = [[0], [1, spo2, 80, 'a'], [2, pressure, 5, 'b'], [3, pressure, 11, 'b'], [4, spo2, 95, 'a']]
  t.strictSame(play(parsed({ all: parts }), steps), [undefined, undefined, false, true, false])
  t.strictSame(play(parsed({ any: parts }), steps), [undefined, true, true, true, true])
  const nested = parsed({
    any: [
      { all: parts, for: '5s' },
      { metric: 'spo2', above: 99 },
    ],
  })
  t.strictSame(play(nested, [...steps.slice(0, 4), [5002], [5003, spo2, 100, 'a']]).slice(3), [false, false, true])
  t.strictSame(play(nested, [...steps.slice(0, 4), [5003]]).at(-1), true)
  t.end()
})

t.test('a sample that is older than the newest says nothing', t => {
  const rule = parsed({ metric: 'pressure', above: 10 })
  const state = rule.start(0)
  rule.see(state, 0, 'p', pressure, 2000, 11, 1)
  rule.see(state, 0, 'p', pressure, 1000, 5, 2)
  t.equal(rule.holds(state, 3), true)
  t.strictSame(rule.evidence(state), { p: 11 })
  t.end()
})

t.test('a device whose clock is set back is not heard for ten seconds, and then judged on', t => {
  const set = (
    rule: Rule,
    series: Series,
    samples: readonly (readonly [time: number, now: number, value: number])[],
  ) => {
    const state = rule.start(0)
    return samples.map(([time, now, value]) => {
      rule.see(state, 0, 's', series, time, value, now)
      return rule.holds(state, now)
    })
  }
  const hour = 3_600_000
  const low = parsed({ metric: 'spo2', below: 90, clear: 92 })
  const steps = [
    [hour, 0, 95],
    [1000, 1000, 80],
    [hour + 2000, 2000, 95],
    [3000, 3000, 80],
    [12_999, 12_999, 80],
    [13_000, 13_000, 80],
    [14_000, 14_000, 91],
    [15_000, 15_000, 93],
  ] as const
  t.strictSame(set(low, spo2, steps), [false, false, false, false, false, true, true, false])
  const fast = parsed({ metric: 'strokes', above: 2 })
  const counted = [
    [hour, 0, 0],
    [hour + 1000, 1000, 5],
    [0, 2000, 9],
    [10_000, 12_000, 9],
    [11_000, 13_000, 10],
    [12_000, 14_000, 15],
  ] as const
  t.strictSame(set(fast, strokes, counted), [undefined, true, true, undefined, false, true])
  t.end()
})

t.test('state is plain data, and a replay from any step says the same', t => {
  const random = seeded(t)
  const rule = parsed({
    any: [
      {
        all: [
          { metric: 'spo2', below: 90, clear: 95, for: '3s' },
          { metric: 'pressure', above: 5, per: '1s' },
        ],
      },
      { metric: 'strokes', silent_for: '4s', for: '1s' },
    ],
    for: '2s',
  })
  const steps = Array.from({ length: 3000 }, (_, n): Step => {
    const series = random.pick([spo2, other, pressure, strokes, undefined])
    return series === undefined ? [n * 500] : [n * 500, series, random.below(100)]
  })
  const plain = play(rule, steps)
  t.strictSame(
    play(rule, steps, state => JSON.parse(JSON.stringify(state))),
    plain,
  )
  t.ok(plain.includes(true) && plain.includes(false))
  t.end()
})

t.test('what is wrong with a condition is said with its metric', t => {
  const wrong = (raw: unknown): string[] => {
    const place = new Place()
    condition.read(raw, place)
    return place.problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  }
  t.match(wrong({ metric: 'spo2' }), [/^: spo2: a condition needs one of above, below and silent_for/])
  t.match(wrong({ metric: 'spo2', above: 1, silent_for: '1s' }), [/spo2: a condition needs one/])
  t.match(wrong({ metric: 'spo2', above: 1, clear: 2 }), [/^clear: spo2: clear must not be higher/])
  t.match(wrong({ any: [{ metric: 'spo2', below: 3, per: '1s', clear: 2 }] }), [
    /^any.0.clear: spo2: clear must not be lower/,
  ])
  t.match(wrong({ all: [] }), [/^all: name at least one/])
  t.match(wrong({ all: [], any: [] }), [/unknown key any/, /./])
  t.match(wrong({ metric: 'spo2', abvoe: 1 }), [/unknown key abvoe; did you mean above/])
  t.end()
})
