import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mostWatches } from '../../../agent/judging/watches.ts'
import { fileKeep, memoryKeep } from '../../../agent/keep.ts'
import { Refused } from '../../../core/errors.ts'
import type { Series } from '../../../core/model.ts'
import { seeded } from '../../random.ts'
import { type Given, given, heat, hot, start } from './given.ts'

t.test('what is wrong is told when it begins and when it ends, once each, with all that is known of it', async t => {
  const { see, pass, events, told, counts, said, judging } = given(t, [hot])
  see(20)
  await pass(1)
  see(96)
  await pass(1)
  see(97)
  await pass(1)
  t.match(events, [
    {
      name: 'fieldline.finding',
      severity: 'critical',
      attributes: { rule: 'hot' },
      body: {
        state: 'opened',
        rule: 'hot',
        kind: 'threshold',
        severity: 'critical',
        series: heat,
        since: start + 1000,
      },
    },
  ])
  t.strictSame([...judging.stats().open], [['hot', 1]])
  see(20)
  await pass(1)
  t.strictSame(told, ['opened hot 1000 96', 'closed hot 1000..3000 96'])
  t.equal(events[1]!.severity, 'info')
  t.strictSame(counts, ['hot=0', 'hot=1', 'hot=0'], 'as a series, for rules at the edge')
  t.strictSame(said, [
    'warning finding hot: press.heat is 96, above 90',
    'warning finding hot ended: press.heat is 96, above 90',
  ])
})

t.test('each sample is judged once and in order, whoever makes its series', async t => {
  const { see, pass, told, judging } = given(t, [hot, { ...hot, name: 'cold', above: undefined, below: 0 }])
  see(20, heat, 5000)
  see(99, heat, 4000)
  see(99, { ...heat, attributes: { zone: 2 } }, 3000)
  await pass(1)
  t.strictSame(told, [], 'late ones say nothing')
  see(99, { ...heat, attributes: { zone: 2 } }, 6000)
  see(20, { ...heat, name: 'press.force' }, 6000)
  await pass(1)
  t.strictSame(told, ['opened hot 6000 99'])
  t.match(judging.stats(), { watches: 2, steps: 4, late: 4 })
})

t.test('a crash at any second neither repeats nor loses a finding, and costs what was learned since', async t => {
  const values = [20, 96, 97, 20, 20, 98, 99, 20]
  for (let crash = 0; crash <= values.length; crash++) {
    const folder = t.testdir()
    const keep = fileKeep(join(folder, 'detectors.json'))
    const known = new Set<string>()
    const clock = { ms: 0 }
    const first = given(t, [hot], { keep, known, clock })
    for (const value of values.slice(0, crash)) {
      first.see(value)
      await first.pass(1)
    }
    // Nothing of it goes on: as a SIGKILL, with the file as it is.
    const second = given(t, [hot], { keep, known, clock })
    for (const value of values.slice(crash)) {
      second.see(value)
      await second.pass(1)
    }
    await second.pass(1)
    t.strictSame(
      [...first.told, ...second.told],
      ['opened hot 1000 96', 'closed hot 1000..3000 96', 'opened hot 5000 98', 'closed hot 5000..7000 98'],
      `crash after ${crash}`,
    )
  }
})

t.test(
  'a crash right after a sample, before it is judged for good: each finding still begins and ends once',
  async t => {
    const values = [20, 96, 97, 98, 20, 20, 99, 99, 20]
    for (let crash = 1; crash < values.length; crash++) {
      const keep = memoryKeep()
      const known = new Set<string>()
      const clock = { ms: 0 }
      const first = given(t, [hot], { keep, known, clock })
      for (const [n, value] of values.slice(0, crash).entries()) {
        first.see(value)
        if (n < crash - 1) await first.pass(1)
      }
      clock.ms += 1000
      const second = given(t, [hot], { keep, known, clock })
      for (const value of values.slice(crash)) {
        second.see(value)
        await second.pass(1)
      }
      const told = [...first.events, ...second.events].map(({ body }) => body as { state: string; since: number })
      const sinces = (state: string): number[] => told.filter(one => one.state === state).map(({ since }) => since)
      t.strictSame(sinces('opened'), sinces('closed'), `crash after ${crash}`)
      t.equal(new Set(sinces('opened')).size, 2)
    }
  },
)

t.test('what was remembered and not told before a crash is told after it', async t => {
  const keep = memoryKeep()
  const known = new Set<string>()
  const clock = { ms: 0 }
  let full = true
  const put = (): void => {
    if (full) throw new Error('spool: full')
  }
  const first = given(t, [hot], { keep, known, clock, put })
  first.see(96)
  await first.pass(2)
  t.strictSame(first.told, [])
  t.match(first.said.join('\n'), /findings: they wait: spool: full/)
  full = false
  const second = given(t, [hot], { keep, known, clock })
  await second.pass(1)
  t.strictSame(second.told, ['opened hot 0 96'])
  await second.stop()
  const third = given(t, [hot], { keep, known, clock })
  await third.pass(1)
  t.strictSame(third.told, [])
  third.see(20)
  await third.pass(1)
  t.strictSame(third.told, ['closed hot 0..4000 96'])
})

t.test('a spool that takes nothing is asked again, and hears of each finding as it is by then', async t => {
  let full = true
  const { see, pass, told, said } = given(t, [hot], {
    put: () => {
      if (full) throw new Error('spool: full')
    },
  })
  see(96)
  await pass(3)
  see(20)
  await pass(3)
  full = false
  await pass(6)
  t.strictSame(told, ['closed hot 0..3000 96'])
  t.match(said.at(-1), /works again/)
})

t.test('what the spool refuses for ever is given up', async t => {
  const { see, pass, said, keep } = given(t, [hot], {
    put: ({ events }) => {
      if (events.length > 0) throw new Refused('a date of 1970')
    },
  })
  see(96)
  await pass(7)
  t.match(said.join('\n'), /a finding of hot is lost: a date of 1970/)
  t.match(JSON.parse(keep.load()!), { untold: [] })
})

t.test('a rule that was changed or is gone ends what it had found, and nothing is left then', async t => {
  for (const rules of [[{ ...hot, above: 95 }], []]) {
    const keep = memoryKeep()
    const clock = { ms: 0 }
    const first = given(t, [hot], { keep, clock })
    first.see(96)
    await first.pass(1)
    first.see(97)
    await first.pass(5)
    await first.stop()
    const second = given(t, rules, { keep, clock })
    await second.pass(1)
    t.strictSame(second.told, ['closed hot 0..1000 96'])
    await second.pass(6)
    t.equal(keep.load(), '')
  }
})

t.test('what is damaged is as good as none', async t => {
  const good = given(t, [hot])
  good.see(96)
  await good.pass(1)
  await good.stop()
  const text = good.keep.load()!
  for (const damaged of ['{', '[]', '{"watches":1,"untold":[]}', text.replaceAll('"series"', '"serie"'), `${text} `]) {
    const { see, pass, told } = given(t, [hot], { keep: memoryKeep(damaged), clock: { ms: 9000 } })
    see(20)
    await pass(1)
    t.strictSame(told, damaged.endsWith(' ') ? ['closed hot 0..9000 96'] : [], damaged.slice(0, 40))
  }
})

t.test('of a series that goes silent is told while others speak, and not when nothing at all is heard', async t => {
  const quiet = { type: 'silence', name: 'quiet', metric: 'press.heat', after: '60s' }
  const { see, pass, told, clock, judging } = given(t, [quiet])
  const other: Series = { ...heat, name: 'press.force' }
  see(20)
  await pass(300)
  t.strictSame(told, [])
  see(20)
  for (let n = 0; n < 70; n++) {
    await pass(1)
    see(1, other)
  }
  t.strictSame(told, ['opened quiet 300000 undefined'])
  see(20)
  await pass(1)
  t.strictSame(told.slice(1), ['closed quiet 300000..370000 undefined'])
  clock.ms += 600_000
  see(1, other)
  await pass(1)
  t.equal(told.length, 2, 'this process was held still')
  t.strictSame([...judging.stats().open], [['quiet', 0]])
})

t.test('an open finding is told again every hour, and one that changes at most once a minute', async t => {
  const { see, pass, events, told } = given(t, [hot])
  see(96)
  await pass(3 * 3600 + 10)
  t.strictSame(told, ['opened hot 0 96', ...Array(3).fill('updated hot 0 96')])
  t.strictSame(new Set(events.map(({ time }) => time)).size, 4)
})

t.test('an open finding is told again by who is restarted more often than every hour', async t => {
  const options = { keep: memoryKeep(), clock: { ms: 0 }, known: new Set<string>() }
  const first = given(t, [hot], options)
  first.see(96)
  await first.pass(1)
  await first.stop()
  for (let n = 0; n < 3; n++) {
    const next = given(t, [hot], options)
    await next.pass(1800)
    await next.stop()
    t.strictSame(next.told, ['updated hot 0 96'])
  }
})

t.test('a series that is gone for a month is forgotten, and its finding has ended', async t => {
  const { see, pass, told, clock, judging } = given(t, [hot])
  see(96)
  await pass(1)
  clock.ms += 30 * 86_400_000
  await pass(1)
  t.strictSame(told, ['opened hot 0 96', 'closed hot 0..0 96'])
  t.equal(judging.stats().watches, 0)
})

t.test('a board that starts in 1970 forgets nothing when its clock is set', async t => {
  const keep = memoryKeep()
  const clock = { ms: 0, off: 0 }
  const first = given(t, [hot], { keep, clock })
  first.see(96)
  await first.pass(1)
  await first.stop()
  clock.off = -start
  const second = given(t, [hot], { keep, clock })
  await second.pass(1)
  second.see(97, { ...heat, attributes: { zone: 3 } })
  await second.pass(10)
  clock.off = 0
  await second.pass(10)
  t.equal(second.judging.stats().watches, 2)
  t.notOk(second.told.some(line => line.startsWith('closed')))
})

t.test('a series that is told in another unit begins afresh, and what was wrong in the old one has ended', async t => {
  const { see, pass, told, judging } = given(t, [hot])
  see(96)
  await pass(1)
  see(20, { ...heat, unit: 'K' })
  await pass(1)
  t.strictSame(told, ['opened hot 0 96', 'closed hot 0..0 96'])
  see(97, { ...heat, unit: 'K' })
  see(98, { ...heat, attributes: { zone: 3 } })
  await pass(1)
  t.strictSame(told.slice(2), ['opened hot 2000 97', 'opened hot 2000 98'])
  t.equal(judging.stats().watches, 2)
})

t.test('a clock that is set back ends what is open, and judging goes on', async t => {
  const { see, pass, told } = given(t, [hot])
  see(96, heat, 3_600_000)
  await pass(1)
  for (let n = 0; n < 12; n++) {
    see(n < 10 ? 97 : 98)
    await pass(1)
  }
  see(20)
  await pass(1)
  t.strictSame(told, [
    'opened hot 3600000 96',
    'closed hot 3600000..3600000 96',
    'opened hot 11000 98',
    'closed hot 11000..13000 98',
  ])
})

t.test('more series than there is room for are not watched, which is said once', async t => {
  const { see, pass, said, judging } = given(t, [hot])
  for (let n = 0; n < mostWatches + 50; n++) see(20, { ...heat, attributes: { n } })
  await pass(1)
  t.equal(judging.stats().watches, mostWatches)
  t.strictSame(said, [`warning detectors: ${mostWatches} series are watched already, further ones are not`])
})

t.test('a storm is bounded: in the log, and in what waits', async t => {
  const { see, pass, said, told } = given(t, [hot], {
    put: ({ events }) => {
      if (events.length > 0) throw new Error('spool: full')
    },
  })
  for (let n = 0; n < 1500; n++) see(96, { ...heat, attributes: { n } })
  await pass(1)
  t.equal(said.filter(line => /finding hot/.test(line)).length, 20)
  t.match(said.join('\n'), /1480 more findings began or ended/)
  t.match(said.join('\n'), /news of 500 findings is lost: 1000 others wait already/)
  t.strictSame(told, [])
})

t.test('what was only learned is written seldom, what is news at once', async t => {
  let saves = 0
  const inner = memoryKeep()
  const save = (text: string): void => {
    saves++
    inner.save(text)
  }
  const keep = { ...inner, save }
  const { see, pass } = given(t, [hot, { type: 'anomaly', metric: 'press.heat' }], { keep })
  for (let n = 0; n < 600; n++) {
    for (let zone = 0; zone < 50; zone++) see(20 + Math.sin(n * zone), { ...heat, attributes: { zone } })
    await pass(1)
  }
  const perSecond = (saves * inner.load()!.length) / 600
  t.ok(perSecond < 10_000 && saves > 5, `${saves} saves, ${perSecond} bytes a second`)
  const before = saves
  see(96)
  await pass(2)
  t.ok(saves > before)
})

t.test('the file is what the doc says: in the state folder, replaced whole', async t => {
  const folder = t.testdir()
  const { see, pass } = given(t, [hot], { keep: fileKeep(join(folder, 'detectors.json')) })
  see(96)
  await pass(1)
  t.match(JSON.parse(readFileSync(join(folder, 'detectors.json'), 'utf8')), {
    watches: [{ rule: 'hot', series: heat, last: start, finding: { since: start } }],
  })
})

t.test('many series are judged together, over a restart and with the one that is to blame', async t => {
  const keep = memoryKeep()
  const clock = { ms: 0 }
  const parts = [0, 1, 2].map(n => ({ ...heat, name: `press.part-${n}` }))
  const together = { type: 'host', name: 'together', metrics: ['press.part-*'], where: { zone: 2 } }
  const other = { ...heat, name: 'press.part-9', attributes: { zone: 3 } }
  const dice = seeded(t)
  const minutes = (run: Given, count: number, off: number): void => {
    for (let n = 0; n < count; n++) {
      clock.ms += 60_000
      for (const [m, part] of parts.entries()) run.see(50 + 5 * dice() + (m === 1 ? off : 0), part)
      run.see(1000 * dice(), other)
    }
  }
  const first = given(t, [together], { keep, clock })
  minutes(first, 3 * 1440, 0)
  t.match(first.judging.stats(), { watches: 1, steps: 3 * 3 * 1440, late: 0 })
  await first.stop()
  t.strictSame(first.events, [], 'nothing is wrong yet')
  const second = given(t, [together], { keep, clock })
  minutes(second, 10, 100)
  await second.pass(1)
  t.match(second.events, [{ body: { state: 'opened', rule: 'together', kind: 'host', message: /press\.part-1/ } }])
  t.notOk('series' in (second.events[0]!.body as object), 'it is about the node')
  t.strictSame([...second.judging.stats().open], [['together', 1]])
  await second.stop()
  const third = given(t, [together], { keep, clock })
  minutes(third, 6 * 60, 0)
  await third.pass(1)
  t.match(third.events.at(-1), { body: { state: 'closed', rule: 'together' } })
  t.strictSame([...third.judging.stats().open], [['together', 0]])
})
