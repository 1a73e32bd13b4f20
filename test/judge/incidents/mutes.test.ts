import t from 'tap'
import { Place } from '../../../core/shape.ts'
import { instantOf, mutes, muting } from '../../../judge/incidents/mutes.ts'

function opened(...all: object[]) {
  const place = new Place()
  const read = mutes.read(all, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  return muting(read)
}

const what = { node: 'mill-1', rule: 'node-silent', metric: null }
const at = (text: string): number => Date.parse(text)

t.test('a window once: its beginning is in it, its end is not', t => {
  const m = opened({ name: 'patch', node: 'mill-*', from: '2026-12-01T23:00:00+01:00', to: '2026-12-02T02:00:00Z' })
  t.equal(m(what, at('2026-12-01T22:00:00Z')), 'patch')
  t.equal(m(what, at('2026-12-01T21:59:59.999Z')), undefined)
  t.equal(m(what, at('2026-12-02T01:59:59Z')), 'patch')
  t.equal(m(what, at('2026-12-02T02:00:00Z')), undefined)
  t.equal(m({ ...what, node: 'store-1' }, at('2026-12-01T23:00:00Z')), undefined)
  t.end()
})

t.test('rule and metric narrow it', t => {
  const window = { from: '2026-12-01T00:00:00Z', to: '2026-12-02T00:00:00Z' }
  const m = opened({ name: 'a', rule: 'node-*', ...window }, { name: 'b', metric: 'system.disk.*', ...window })
  const noon = at('2026-12-01T12:00:00Z')
  t.equal(m(what, noon), 'a')
  t.equal(m({ ...what, rule: 'slow', metric: 'system.disk.io' }, noon), 'b')
  t.equal(m({ ...what, rule: 'slow' }, noon), undefined, 'a finding about a node has no metric')
  t.end()
})

t.test('every week, over midnight, in UTC', t => {
  const m = opened({ name: 'w', weekly: { days: ['sat'], at: '23:00', for: '3h' } })
  const muted = (text: string) => m(what, at(text)) !== undefined
  // 28 November 2026 is a Saturday.
  t.strictSame(
    [
      '2026-11-28T22:59:59Z',
      '2026-11-28T23:00:00Z',
      '2026-11-29T01:59:59Z',
      '2026-11-29T02:00:00Z',
      '2026-11-29T23:30:00Z',
    ].map(muted),
    [false, true, true, false, false],
  )
  t.end()
})

t.test('in a time zone far ahead of UTC the day is that of the zone', t => {
  const m = opened({ name: 'w', time_zone: 'Pacific/Auckland', weekly: { days: ['mon'], at: '02:00', for: '1h' } })
  t.equal(m(what, at('2026-11-29T13:30:00Z')), 'w', 'Monday 02:30 there')
  t.equal(m(what, at('2026-11-30T13:30:00Z')), undefined)
  t.end()
})

t.test('where the clocks change: the gap begins after it, what comes twice counts once, the length is real', t => {
  const berlin = 'Europe/Berlin'
  t.equal(instantOf(at('2026-07-01T02:00:00Z'), berlin), at('2026-07-01T00:00:00Z'))
  t.equal(instantOf(at('2026-03-29T02:30:00Z'), berlin), at('2026-03-29T01:00:00Z'), 'there is no 02:30')
  t.equal(instantOf(at('2026-10-25T02:30:00Z'), berlin), at('2026-10-25T00:30:00Z'), 'the first 02:30')
  const m = opened({ name: 'w', time_zone: berlin, weekly: { days: ['sun'], at: '02:00', for: '2h' } })
  const muted = (text: string) => m(what, at(text)) !== undefined
  t.strictSame(['2026-10-25T00:00:00Z', '2026-10-25T01:59:59Z', '2026-10-25T02:00:00Z'].map(muted), [true, true, false])
  t.end()
})
