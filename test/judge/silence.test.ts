import t from 'tap'
import type { Series } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { type SilenceState, silence } from '../../judge/detect/silence.ts'
import { detectorContract, readOptions } from './detector-contract.ts'

const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: {} }
const noon = Date.UTC(2026, 5, 1, 12)

detectorContract(t, silence, {}, undefined)
detectorContract(t, silence, { metric: heat.name, after: '10s' }, heat)

function open(plain: Record<string, unknown>) {
  const detector = silence.open(readOptions(silence, plain))
  const state = detector.start(undefined) as SilenceState
  return {
    detector,
    /** Samples every `interval` ms up to and including `to`. */
    speak(from: number, to: number, interval: number) {
      for (let time = from; time <= to; time += interval) detector.step(state, noon + time, 1)
    },
    step: (time: number) => detector.step(state, noon + time, 1),
    idle: (now: number) => detector.idle?.(state, noon + now),
  }
}

t.test('quiet for five times its usual interval is too long, and data ends it', t => {
  const { speak, idle, step } = open({})
  speak(0, 600_000, 20_000)
  t.equal(idle(600_000 + 99_000), undefined)
  t.match(idle(600_000 + 100_000), {
    since: noon + 600_000,
    message: 'nothing has come from it since 2026-06-01T12:10:00.000Z; usually something comes every 20 s',
    evidence: { after_s: 100, usual_s: 20 },
  })
  t.equal(idle(600_000 + 101_000), undefined, 'said once')
  t.same(step(900_000), { until: noon + 900_000 })
  t.equal(step(920_000), undefined)
  t.end()
})

t.test('whoever speaks often may still be quiet for 30 s', t => {
  const { speak, idle } = open({})
  speak(0, 60_000, 1000)
  t.equal(idle(89_000), undefined)
  t.match(idle(90_000), { since: noon + 60_000 })
  t.end()
})

t.test('until its habit is known it may be quiet for 5 min', t => {
  const { step, idle } = open({})
  step(0)
  step(1000)
  t.equal(idle(300_000), undefined)
  t.match(idle(301_000), { since: noon + 1000, message: /^nothing has come from it since [^;]*$/ })
  t.end()
})

t.test('what never spoke is not silent', t => {
  t.equal(open({}).idle(1e9), undefined)
  t.end()
})

t.test('one long pause does not make long pauses usual', t => {
  const { speak, idle, step } = open({})
  speak(0, 600_000, 10_000)
  step(600_000 + 86_400_000)
  t.equal(idle(600_000 + 86_400_000 + 40_000), undefined)
  t.match(idle(600_000 + 86_400_000 + 70_000), { since: Number })
  t.end()
})

t.test('a configured time is taken as it is', t => {
  const { step, idle } = open({ after: '5s' })
  step(0)
  t.equal(idle(4999), undefined)
  t.match(idle(5000), { since: noon })
  t.end()
})

t.test('without a metric nodes are watched, with one its series', t => {
  const nodes = open({ node: 'press-*' }).detector
  t.equal(nodes.scope, 'node')
  t.ok(nodes.watches('press-1', undefined))
  t.notOk(nodes.watches('anvil', undefined))
  const series = open({ metric: heat.name }).detector
  t.equal(series.scope, 'series')
  t.ok(series.watches('press-1', heat))
  t.notOk(series.watches('press-1', { ...heat, name: 'other' }))
  t.end()
})

t.test('where without a metric is refused', t => {
  const place = new Place()
  silence.options.read({ where: { zone: 1 } }, place)
  t.match(place.problems, [{ message: 'where needs a metric' }])
  t.end()
})
