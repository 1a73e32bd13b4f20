import t from 'tap'
import { eventToFinding, findingToEvent, isOfEdge } from '../../core/finding-event.ts'
import type { Finding, Json } from '../../core/model.ts'
import { decodeLogs } from '../../core/otlp/decode.ts'
import { encodeLogs } from '../../core/otlp/encode.ts'
import { seeded } from '../random.ts'

const series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: { zone: 2, line: 'a', on: true } } as const
const finding: Finding = {
  rule: 'hot',
  kind: 'threshold',
  subject: { node: 'press-1', series },
  severity: 'critical',
  since: 1_790_000_000_000,
  message: 'press.heat is 96, above 90',
  evidence: { value: 96.5, above: 90, why: 'so' },
}

t.test('a finding is the same behind the road, but for its rule, which says where it was found', async t => {
  const closed = { ...finding, until: finding.since + 0.5 }
  for (const [one, state] of [
    [finding, 'opened'],
    [closed, 'closed'],
  ] as const) {
    const bytes = encodeLogs({ 'host.name': 'press-1' }, [findingToEvent(one, state, 5)])
    const read = eventToFinding(decodeLogs(bytes)[0]!.event, 'press-1')
    t.strictSame(read, { ...one, rule: 'edge:hot' })
    t.ok(isOfEdge(read) && !isOfEdge(one))
  }
})

t.test('what is none is refused by what is wrong with it', async t => {
  const { body } = findingToEvent(finding, 'opened', 5)
  const told = body as Record<string, Json>
  const wrong: readonly [string, Json][] = [
    ['body', null],
    ['body', 'text'],
    ['body', []],
    ['rule', { ...told, rule: '' }],
    ['rule', { ...told, rule: 'x'.repeat(65) }],
    ['kind', { ...told, kind: 5 }],
    ['severity', { ...told, severity: 'loud' }],
    ['since', { ...told, since: 0 }],
    ['since', { ...told, since: 9e15 }],
    ['until', { ...told, state: 'closed', until: 1 }],
    ['state', { ...told, state: 'closed' }],
    ['state', { ...told, until: finding.since }],
    ['message', { ...told, message: '' }],
    ['evidence', { ...told, evidence: [1] }],
    ['series', { ...told, series: null }],
    ['series.name', { ...told, series: { ...series, name: 'x'.repeat(257) } }],
    ['series.kind', { ...told, series: { ...series, kind: 'odd' } }],
    ['series.attributes', { ...told, series: { ...series, attributes: { a: { b: 1 } } } }],
    ['series.attributes', { ...told, series: { ...series, attributes: { a: 'x'.repeat(1001) } } }],
    ['series.attributes', { ...told, series: { ...series, attributes: { ['x'.repeat(300)]: 1 } } }],
  ]
  for (const [what, body] of wrong)
    t.throws(() => eventToFinding({ body }, 'n'), { name: 'Refused', message: `a finding without a proper ${what}` })
})

t.test('a message or evidence without end is cut', async t => {
  const evidence = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`e${n}`, n]))
  const long = { ...finding, message: 'm'.repeat(5000), evidence: { ...evidence, odd: Number.NaN } }
  const read = eventToFinding(findingToEvent(long, 'opened', 5), 'n')
  t.equal(read.message.length, 1000)
  t.equal(Object.keys(read.evidence).length, 64)
})

t.test('whatever comes is a finding of bounded size, or refused', async t => {
  const random = seeded(t)
  const { body } = findingToEvent({ ...finding, until: finding.since }, 'closed', 5)
  const odd: readonly Json[] = [null, '', 'x'.repeat(3000), -1, Number.NaN, 1e300, true, [], {}, { a: [] }, [{}]]
  const mangled = (value: Json, depth = 0): Json => {
    if (random() < 0.15 * (depth + 1)) return random.pick(odd)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mangled(inner, depth + 1)]))
  }
  let taken = 0
  for (let n = 0; n < 20_000; n++) {
    try {
      const size = JSON.stringify(eventToFinding({ body: mangled(body) }, 'n')).length
      if (size > 100_000) t.fail(`${size} characters`)
      taken++
    } catch (error) {
      if (!(error instanceof Error && error.name === 'Refused')) throw error
    }
  }
  t.ok(taken > 10 && taken < 20_000, `${taken} were taken`)
})
