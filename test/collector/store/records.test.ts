import SQLite from 'better-sqlite3'
import t from 'tap'
import { findingKey, type RecordChange, Records } from '../../../collector/store/records.ts'
import type { Event, Finding, Series } from '../../../core/model.ts'

const noon = Date.UTC(2026, 5, 1, 12)
const day = 86_400_000
const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: { zone: 2, side: 'left' } }

function finding(more: Partial<Finding> = {}): Finding {
  const subject = { node: 'press-1', series: heat }
  const told = { message: 'too hot', evidence: { value: 91, limit: 90 } }
  return { rule: 'hot', kind: 'threshold', subject, severity: 'warning', since: noon, ...told, ...more }
}

function event(time: number, more: Partial<Event> = {}): Event {
  return { name: 'door.opened', time, severity: 'info', body: { door: 1 }, attributes: { by: 'hand' }, ...more }
}

function save(records: Records): void {
  records.write()
  records.written()
}

t.test('a node is known from its first sign and after a restart', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  const node = records.touch('press-1', noon)
  node.samples += 5
  records.describe(node, { 'host.name': 'press-1', simulated: true })
  t.equal(records.touch('press-1', noon + 1000), node)
  records.touch('anvil', noon)
  save(records)
  const again = new Records({ db })
  t.same(
    again.nodes().map(n => n.name),
    ['anvil', 'press-1'],
  )
  t.match(again.node('press-1'), {
    firstSeen: noon,
    lastSeen: noon + 1000,
    samples: 5,
    attributes: { simulated: true },
  })
  t.end()
})

t.test('a node is last seen when it last was, also by a clock that was set back', t => {
  const records = new Records({ db: new SQLite(':memory:') })
  records.touch('press-1', noon)
  t.equal(records.touch('press-1', noon - 5000).lastSeen, noon - 5000)
  t.end()
})

t.test('events are found before and after they are written, the newest first', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  for (const n of [1, 3, 2]) records.event('press-1', event(noon + n))
  save(records)
  records.event('press-1', event(noon + 4))
  records.event('anvil', event(noon + 5))
  const times = (selector: Partial<Parameters<Records['events']>[0]>) =>
    records.events({ limit: 10, ...selector }).map(e => e.time - noon)
  t.same(times({}), [5, 4, 3, 2, 1])
  t.same(times({ node: 'press-1' }), [4, 3, 2, 1])
  t.same(times({ from: noon + 2, to: noon + 4 }), [3, 2])
  t.same(times({ limit: 2 }), [5, 4])
  t.same(records.events({ limit: 1, to: noon + 2 })[0], { ...event(noon + 1), node: 'press-1' })
  t.end()
})

t.test('a finding told twice is one, and its end closes it', t => {
  const db = new SQLite(':memory:')
  const changes: RecordChange[] = []
  const records = new Records({ db, changed: change => changes.push(change) })
  records.finding(finding())
  records.finding(finding())
  t.equal(changes.length, 1)
  t.equal(records.openCount(), 1)
  t.equal(records.openCount('press-1'), 1)
  t.equal(records.openCount('anvil'), 0)
  save(records)
  records.finding(finding())
  t.equal(changes.length, 1, 'known from the file too')
  records.finding(finding({ until: noon + 60 }))
  t.equal(changes.length, 2)
  t.equal(records.openCount(), 0)
  t.same(records.findings({ limit: 10 }), [finding({ until: noon + 60 })])
  save(records)
  t.same(records.findings({ limit: 10 }), [finding({ until: noon + 60 })])
  records.finding(finding({ until: noon + 60 }))
  t.equal(changes.length, 2)
  t.end()
})

t.test('attributes in another order name the same finding', t => {
  const turned = { ...heat, attributes: { side: 'left', zone: 2 } }
  t.equal(findingKey(finding()), findingKey(finding({ subject: { node: 'press-1', series: turned } })))
  t.not(findingKey(finding()), findingKey(finding({ since: noon + 1 })))
  t.end()
})

t.test('findings are listed open ones first, by node, time and state', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  records.finding(finding({ since: noon + 1, until: noon + 10 }))
  records.finding(finding({ since: noon + 2 }))
  save(records)
  records.finding(finding({ since: noon + 3, subject: { node: 'anvil' } }))
  records.finding(finding({ since: noon + 4, until: noon + 5 }))
  records.finding(finding({ since: noon + 2, until: noon + 6 }))
  const since = (selector: Partial<Parameters<Records['findings']>[0]>) =>
    records.findings({ limit: 10, ...selector }).map(f => f.since - noon)
  t.same(since({}), [3, 4, 2, 1])
  t.same(since({ open: true }), [3])
  t.same(since({ open: false }), [4, 2, 1])
  t.same(since({ node: 'press-1' }), [4, 2, 1])
  t.same(since({ from: noon + 7 }), [3, 1])
  t.same(since({ to: noon + 3 }), [2, 1])
  t.same(since({ limit: 2 }), [3, 4])
  t.end()
})

t.test('open findings come back after a restart', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  records.finding(finding())
  records.writeFindings()
  t.same(new Records({ db }).openFindings(), [finding()])
  t.end()
})

t.test('watermarks only rise', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  for (const watermark of [5, 3]) {
    records.mark({ node: 'a', stream: 's', watermark, seen: noon })
    save(records)
  }
  t.same(records.marks(), [{ node: 'a', stream: 's', watermark: 5, seen: noon }])
  t.end()
})

t.test('what cannot be read is set aside, bounded in rows and bytes', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  const one = { node: 'a', stream: 's', received: noon, encoding: 'otlp-metrics-zstd', reason: 'torn' }
  for (let seq = 0; seq < 1200; seq++) {
    records.poison({ ...one, seq, payload: Buffer.alloc(seq === 1199 ? 100_000 : 1) })
    if (seq % 500 === 0) save(records)
  }
  t.equal(records.poisoned(2)[0]?.seq, 1199)
  save(records)
  t.same(
    records.poisoned(2).map(p => [p.seq, p.payload.length]),
    [
      [1199, 65536],
      [1198, 1],
    ],
  )
  t.equal(records.poisoned(5000).length, 1000)
  t.end()
})

t.test('a transaction that fails loses nothing: the next write has it all', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  records.touch('press-1', noon)
  records.event('press-1', event(noon))
  records.finding(finding())
  const failing = db.transaction(() => {
    records.write()
    throw new Error('disk full')
  })
  t.throws(failing, /disk full/)
  t.equal(records.events({ limit: 5 }).length, 1)
  save(records)
  const again = new Records({ db })
  t.equal(again.events({ limit: 5 }).length, 1)
  t.equal(again.nodes().length, 1)
  t.equal(again.openCount(), 1)
  t.end()
})

t.test('what is too old is forgotten, an open finding of a living node is not', t => {
  const db = new SQLite(':memory:')
  const records = new Records({ db })
  records.touch('gone', noon)
  records.touch('press-1', noon + 10 * day)
  for (const node of ['gone', 'press-1']) {
    records.event(node, event(noon))
    records.finding(finding({ subject: { node } }))
    records.finding(finding({ subject: { node }, since: noon - 5, until: noon }))
  }
  records.event('press-1', event(noon + 10 * day))
  records.mark({ node: 'gone', stream: 's', watermark: 1, seen: noon })
  save(records)
  records.retain(noon + day)
  save(records)
  t.same(
    records.nodes().map(n => n.name),
    ['press-1'],
  )
  t.equal(records.events({ limit: 10 }).length, 1)
  t.same(
    records.openFindings().map(f => f.subject.node),
    ['press-1'],
  )
  t.same(
    records.findings({ open: false, limit: 10 }).map(f => f.subject.node),
    ['gone'],
    'closed just now',
  )
  t.same(records.marks(), [])
  t.end()
})
