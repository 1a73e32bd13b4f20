import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import t from 'tap'
import type { Event } from '../../../core/model.ts'
import { collectorIn, Edge, heat, settled } from './collectors.ts'
import { noon } from './envelopes.ts'

const minute = 60_000
const day = 86_400_000

t.test('samples and events of an envelope are in history and records, and the node is known', async t => {
  const { intake, all, records, stop } = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  await intake.offer(edge.heat(0, [20, 21]))
  const opened: Event = { name: 'door.opened', time: noon + 1, severity: 'warning', body: { door: 1 }, attributes: {} }
  await intake.offer(edge.events([opened]))
  await settled(intake)
  t.same(all('press-1'), ['press.heat{"zone":2}@-1000=20', 'press.heat{"zone":2}@0=21'])
  t.same(records.events({ limit: 5 }), [{ ...opened, node: 'press-1' }])
  t.match(records.node('press-1'), {
    samples: 2,
    events: 1,
    late: 0,
    lastSeen: noon,
    lastTime: noon + 1,
    attributes: { 'host.name': 'press-1' },
  })
  await stop()
})

t.test('after a crash before the fold, everything is there once', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder)
  const edge = new Edge('press-1')
  await first.intake.offer(edge.heat(0, [1, 2, 3]))
  await settled(first.intake)
  first.intake.flush()
  await first.intake.offer(edge.heat(10_000, [4, 5]))
  const opened: Event = { name: 'door.opened', time: noon + 1, severity: 'warning', body: null, attributes: {} }
  await first.intake.offer(edge.events([opened]))
  await settled(first.intake)
  const before = first.all('press-1')
  await first.crash()
  const second = await collectorIn(folder)
  t.same(second.all('press-1'), before)
  t.match(second.records.node('press-1'), { samples: 5, events: 1 })
  t.equal(second.records.events({ limit: 5 }).length, 1)
  await second.stop()
  const third = await collectorIn(folder)
  t.same(third.all('press-1'), before)
  t.equal(third.records.events({ limit: 5 }).length, 1)
  await third.stop()
})

t.test('nodes with the very same resource keep their own series', async t => {
  const { intake, all, stop } = await collectorIn(t.testdir())
  const edges = ['a', 'b', 'c'].map(node => new Edge(node, 'spool00001', { 'service.name': 'same' }))
  for (const n of [1, 2]) {
    for (const [e, edge] of edges.entries()) await intake.offer(edge.heat(n * 1000, [10 * e + n]))
  }
  await settled(intake)
  t.same(
    ['a', 'b', 'c'].map(node => all(node).map(line => line.replace(/.*@/, ''))),
    [
      ['1000=1', '2000=2'],
      ['1000=11', '2000=12'],
      ['1000=21', '2000=22'],
    ],
  )
  await stop()
})

const unreadable: Readonly<Record<string, Uint8Array>> = {
  'no zstd': Buffer.from('hello'),
  nothing: Buffer.alloc(0),
  'zstd of no protobuf': zstdCompressSync(Buffer.from([0xff, 0xff, 0xff])),
  'a zstd bomb': zstdCompressSync(Buffer.alloc(64 * 1024 ** 2)),
  'random bytes': randomBytes(500),
}

for (const [what, payload] of Object.entries(unreadable)) {
  t.test(`${what} is set aside, found, and blocks nothing`, async t => {
    const { intake, all, records, stop } = await collectorIn(t.testdir())
    const edge = new Edge('press-1')
    await intake.offer(edge.heat(0, [1]))
    t.equal((await intake.offer(edge.heat(1000, [2], { payload }))).watermark, 2)
    await intake.offer(edge.heat(2000, [3]))
    await settled(intake)
    t.equal(all('press-1').length, 2)
    t.match(records.poisoned(5), [{ node: 'press-1', seq: 2 }])
    t.match(records.findings({ limit: 5 }), [
      { rule: 'unreadable-data', subject: { node: 'press-1' }, severity: 'warning' },
    ])
    t.equal(records.node('press-1')?.refused, 1)
    t.equal(intake.stats().fold.unreadable_rows, 1)
    await stop()
  })
}

t.test('bytes that are damaged at random never stop what comes after', async t => {
  const { intake, all, stop } = await collectorIn(t.testdir())
  const bad = new Edge('bad')
  const good = new Edge('good')
  for (let n = 0; n < 60; n++) {
    const { payload } = good.heat(n * 1000, [n])
    const damaged = Buffer.from(payload)
    damaged[n % damaged.length]! ^= 1 << (n % 8)
    await intake.offer(bad.heat(n * 1000, [n], { payload: damaged }))
  }
  good.rotate()
  await intake.offer(good.heat(0, [7]))
  await settled(intake)
  t.equal(all('good').length, 1)
  await stop()
})

t.test('samples whose own times are not to be believed are left out, whatever the envelope says', async t => {
  const { intake, all, records, stop } = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  const times = [0, noon - 31 * day, noon, noon + 26 * 3_600_000, Date.UTC(2090, 0, 1)]
  const samples = times.map(time => ({ series: heat, time, value: 1 }))
  await intake.offer(edge.metrics(samples, { firstTime: noon, lastTime: noon }))
  await settled(intake)
  t.equal(all('press-1').length, 1)
  t.match(records.node('press-1'), { samples: 1, rejected: 4 })
  t.match(records.findings({ limit: 5 }), [{ rule: 'unbelievable-times', evidence: { samples: 4 } }])
  await stop()
})

t.test('an envelope dated 1970 is refused for ever, and the finding names node and date', async t => {
  const { intake, records, stop } = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  const receipt = await intake.offer(edge.heat(0, [1], { firstTime: 0 }))
  t.match(receipt, { watermark: 1, refused: [{ seq: 1, reason: /press-1: dated 1970-01-01/ }] })
  await settled(intake)
  t.match(records.findings({ limit: 5 }), [{ rule: 'refused-data', message: /press-1.*1970-01-01/ }])
  await stop()
})

t.test('series beyond the limit are not kept, those before go on, and other nodes are not touched', async t => {
  const limits = { bytes_per_second: 1e9, samples_per_second: 1e9, series: 3 }
  const { intake, all, records, stop } = await collectorIn(t.testdir(), { limits })
  const many = (edge: Edge, from: number, time: number) =>
    edge.metrics(
      [0, 1, 2].map(n => ({ series: { ...heat, attributes: { zone: from + n } }, time: noon + time, value: n })),
    )
  const edge = new Edge('press-1')
  await intake.offer(many(edge, 0, 0))
  await intake.offer(many(edge, 2, 1000))
  await intake.offer(many(edge, 0, 2000))
  await intake.offer(many(new Edge('press-2'), 0, 0))
  await settled(intake)
  t.equal(all('press-1').length, 7)
  t.equal(all('press-2').length, 3)
  t.equal(records.node('press-1')?.rejected, 2)
  t.match(records.findings({ limit: 5 }), [
    { rule: 'too-many-series', subject: { node: 'press-1' }, evidence: { limit: 3 } },
  ])
  await stop()
})

t.test('samples that come late are stored and counted', async t => {
  const { intake, all, records, stop } = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  await intake.offer(edge.heat(60_000, [5]))
  await intake.offer(edge.heat(30_000, [3, 4]))
  await settled(intake)
  t.equal(all('press-1').length, 3)
  t.equal(records.node('press-1')?.late, 2)
  await stop()
})

t.test('what the edge gave up is counted on its node', async t => {
  const { intake, records, stop } = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  await intake.offer(edge.heat(0, [1]))
  edge.heat(1000, [2])
  await intake.offer(edge.heat(2000, [3], { previous: 1 }))
  await settled(intake)
  t.equal(records.node('press-1')?.gaps, 1)
  await stop()
})

t.test('two daemons under one name are found, with both spools named', async t => {
  const { intake, records, clock, stop } = await collectorIn(t.testdir())
  const [a, b] = [new Edge('press-1', 'aaaaaaaaaa'), new Edge('press-1', 'bbbbbbbbbb')]
  for (let n = 0; n < 4; n++) {
    clock.now = noon + n * 1000
    await intake.offer((n % 2 === 0 ? a : b).heat(n * 1000, [n]))
  }
  await settled(intake)
  const found = records.findings({ limit: 5 })
  t.equal(found.length, 1)
  t.match(found[0], { rule: 'name-conflict', since: noon + 2000, message: /aaaaaaaaaa|bbbbbbbbbb/ })
  t.match(found[0]?.evidence.spools, /(?=.*aaaaaaaaaa)(?=.*bbbbbbbbbb)/)
  clock.now = noon + 12 * minute
  intake.tick()
  t.match(records.findings({ limit: 5 }), [{ until: noon + 3000 }], 'over, ten minutes after the last turn')
  await stop()
})

t.test('a spool that was replaced and drains what it had left is no conflict', async t => {
  const { intake, records, stop } = await collectorIn(t.testdir())
  const [old, fresh] = [new Edge('press-1', 'aaaaaaaaaa'), new Edge('press-1', 'bbbbbbbbbb')]
  await intake.offer(old.heat(0, [1]))
  for (let n = 1; n < 5; n++) {
    await intake.offer(fresh.heat(100_000 + n * 1000, [n]))
    await intake.offer(old.heat(n * 1000, [n]))
  }
  await settled(intake)
  t.same(records.findings({ limit: 5 }), [])
  await stop()
})

t.test('a flood is made to wait and found, and another node is not touched', async t => {
  const limits = { bytes_per_second: 1e9, samples_per_second: 10, series: 1000 }
  const { intake, records, stop } = await collectorIn(t.testdir(), { limits })
  const edge = new Edge('press-1')
  await intake.offer(
    edge.heat(
      0,
      Array.from({ length: 150 }, () => 1),
    ),
  )
  t.match(await intake.offer(edge.heat(1000, [1])), { watermark: 1, retry_after: Number })
  t.same(await intake.offer(new Edge('press-2').heat(0, [1])), { stream: 'spool00001.metrics.1', watermark: 1 })
  t.match(records.findings({ limit: 5 }), [{ rule: 'flood', subject: { node: 'press-1' } }])
  await stop()
})

t.test('it folds by age, and says once when it cannot and once when it can again', async t => {
  const { intake, history, records, clock, said, stop } = await collectorIn(t.testdir())
  await intake.offer(new Edge('press-1').heat(0, [1]))
  await settled(intake)
  clock.now += minute
  intake.tick()
  t.equal(history.cursor, 0)
  const write = records.write.bind(records)
  records.write = () => {
    throw new Error('database or disk is full')
  }
  for (let n = 0; n < 3; n++) {
    clock.now += minute
    intake.tick()
  }
  t.equal(history.cursor, 0)
  t.equal(history.pending, 1)
  records.write = write
  clock.now += minute
  intake.tick()
  t.equal(history.cursor, 1)
  t.equal(history.pending, 0)
  t.equal(said.length, 2, said.join('\n'))
  await stop()
})

t.test('losing inbox.db does not store what was folded again', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder)
  const edge = new Edge('press-1')
  const sent = edge.heat(0, [1, 2])
  await first.intake.offer(sent)
  await first.stop()
  for (const end of ['', '-wal', '-shm']) rmSync(`${folder}/inbox.db${end}`, { force: true })
  const second = await collectorIn(folder)
  t.match(await second.intake.offer(sent), { watermark: 1 })
  await second.intake.offer(edge.heat(5000, [3]))
  await settled(second.intake)
  t.equal(second.all('press-1').length, 3)
  t.equal(second.intake.stats().inbox.duplicate_envelopes, 1)
  await second.stop()
})

t.test('an event too large to be kept is left out and found', async t => {
  const { intake, records, stop } = await collectorIn(t.testdir())
  const log = { name: 'log', time: noon, severity: 'info', attributes: {} } as const
  await intake.offer(
    new Edge('press-1').events([
      { ...log, body: 'x'.repeat(2 ** 20) },
      { ...log, body: 'small' },
    ]),
  )
  await settled(intake)
  t.match(records.events({ limit: 5 }), [{ body: 'small' }])
  t.match(records.node('press-1'), { events: 1, rejected: 1 })
  t.match(records.findings({ limit: 5 }), [{ rule: 'unreadable-data', evidence: { events: 1 } }])
  await stop()
})

t.test('a node unheard of for longer than the retention is forgotten, and its findings are closed', async t => {
  const { intake, records, clock, stop } = await collectorIn(t.testdir())
  await intake.offer(new Edge('press-1').heat(0, [1], { payload: Buffer.from('bad') }))
  await settled(intake)
  intake.flush()
  clock.now += 31 * day
  intake.tick()
  t.same(records.nodes(), [])
  t.equal(records.openCount(), 0)
  await stop()
})
