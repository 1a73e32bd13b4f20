import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { openFile } from '../../agent/spool/tables.ts'
import { SpoolFull } from '../../agent/spool.ts'
import { drain, gapOf, labelOf, parcel, rig, settleAll, start, takeAll } from './spool/rig.ts'

const labels = (batch: readonly { payload: Uint8Array }[]): string[] => batch.map(labelOf)

t.test('what was put is taken in order, sealed, with its predecessor named', async t => {
  const spool = await rig(t.testdir()).open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label))
  const batch = takeAll(spool)
  t.strictSame(labels(batch), ['a', 'b', 'c'])
  t.strictSame(
    batch.map(({ seq, previous }) => [seq, previous]),
    [
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  )
  t.match(batch[0]!.stream, new RegExp(`^${spool.id}\\.metrics\\.1-[0-9a-z]{6}$`))
  t.strictSame(labels(takeAll(spool)), ['a', 'b', 'c'], 'taking moves nothing')
  await spool.close()
})

t.test('all puts of one turn share one transaction', async t => {
  let commits = 0
  const spool = await rig(t.testdir()).open(file => {
    const db = openFile(file)
    const exec = db.exec.bind(db)
    db.exec = sql => {
      if (sql === 'COMMIT') commits++
      return exec(sql)
    }
    return db
  })
  const before = commits
  await Promise.all(Array.from({ length: 20 }, (_, n) => spool.put(parcel(`${n}`))))
  t.equal(commits - before, 1)
  await spool.close()
})

t.test('a drained spool is empty, also after it was opened again', async t => {
  const r = rig(t.testdir())
  const spool = await r.open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label))
  t.equal(drain(spool).length, 3)
  t.match(spool.stats(), { bytes: 0, envelopes: 0, oldest: undefined })
  await spool.close()
  const again = await r.open()
  t.strictSame(takeAll(again), [])
  t.match(again.stats(), { bytes: 0, envelopes: 0 })
  await again.close()
})

t.test('after a partial delivery the rest comes, and its predecessor is gone', async t => {
  const spool = await rig(t.testdir()).open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label))
  settleAll(spool, takeAll(spool).slice(0, 2))
  t.match(takeAll(spool), [{ seq: 3, previous: 0 }])
  await spool.close()
})

t.test('events go before metrics, fresh metrics before older ones, and those within their allowance', async t => {
  const spool = await rig(t.testdir()).open()
  for (const label of ['m1', 'm2', 'm3']) await spool.put(parcel(label))
  await spool.put(parcel('e1', 100, 'events'))
  spool.rotate()
  await spool.put(parcel('m4'))
  await spool.put(parcel('e2', 100, 'events'))
  t.strictSame(labels(spool.take('home', 10_000, 10_000)), ['e2', 'e1', 'm4', 'm1', 'm2', 'm3'])
  t.strictSame(labels(spool.take('home', 10_000, 400)), ['e2', 'e1', 'm4', 'm1', 'm2'])
  t.strictSame(labels(spool.take('home', 10_000, 0)), ['e2', 'e1', 'm4'])
  t.strictSame(labels(spool.take('home', 450, 10_000)), ['e2', 'e1'])
  t.strictSame(labels(spool.take('home', 1, 0)), ['e2'], 'one envelope at least')
  await spool.close()
})

t.test('an older envelope larger than its allowance goes when nothing fresh waits', async t => {
  const spool = await rig(t.testdir()).open()
  await spool.put(parcel('old', 5000))
  spool.rotate()
  t.strictSame(labels(spool.take('home', 100_000, 10)), ['old'])
  t.strictSame(spool.take('home', 100_000, 0), [])
  await spool.close()
})

t.test('every start opens new streams, and a drained old one is forgotten', async t => {
  const r = rig(t.testdir())
  const first = await r.open()
  await first.put(parcel('a'))
  await first.close()
  const second = await r.open()
  await second.put(parcel('b'))
  const [fresh, old] = takeAll(second)
  t.strictSame([labelOf(fresh!), fresh!.seq, labelOf(old!), old!.seq], ['b', 1, 'a', 1])
  t.not(fresh!.stream, old!.stream)
  settleAll(second, [old!])
  t.match(takeAll(second), [{ stream: fresh!.stream }])
  await second.close()
})

t.test('a file put back from a backup never reuses a stream', async t => {
  const dir = t.testdir({ live: {}, backup: {} })
  const { cpSync } = await import('node:fs')
  const live = rig(`${dir}/live`)
  await (await live.open()).close()
  cpSync(`${dir}/live`, `${dir}/backup`, { recursive: true })
  const names: string[] = []
  for (const folder of ['live', 'backup']) {
    const spool = await rig(`${dir}/${folder}`).open()
    await spool.put(parcel(folder))
    names.push(takeAll(spool)[0]!.stream)
    await spool.close()
  }
  t.equal(names[0]!.split('.')[0], names[1]!.split('.')[0], 'the same spool')
  t.not(names[0], names[1])
})

t.test('each uplink has its own place, and the slowest holds the rows', async t => {
  const r = rig(t.testdir(), { uplinks: ['home', 'cloud'] })
  const spool = await r.open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label))
  settleAll(spool, takeAll(spool))
  t.strictSame(takeAll(spool), [])
  t.strictSame(labels(takeAll(spool, 'cloud')), ['a', 'b', 'c'])
  t.equal(spool.stats().envelopes, 3)
  await spool.put(parcel('d'))
  t.match(takeAll(spool), [{ seq: 4, previous: 3 }], 'what home is done with is still its predecessor')
  await spool.close()

  const again = await r.open()
  t.strictSame(labels(takeAll(again)), ['d'], 'places survive')
  settleAll(again, takeAll(again, 'cloud').slice(0, 2), 'cloud')
  t.equal(again.stats().envelopes, 2)
  await again.close()

  const alone = await rig(r.options.folder).open()
  t.strictSame(labels(takeAll(alone)), ['d'])
  t.equal(alone.stats().envelopes, 1, 'an uplink that is gone holds nothing back')
  await alone.close()
})

t.test('a far end that lost its memory is sent again what is still here', async t => {
  const spool = await rig(t.testdir(), { uplinks: ['home', 'cloud'] }).open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label))
  const { stream } = takeAll(spool)[0]!
  settleAll(spool, takeAll(spool))
  spool.settle('home', { committed: new Map([[stream, 1]]), refused: [] })
  t.strictSame(labels(takeAll(spool)), ['b', 'c'])
  await spool.close()
})

t.test('a claim above what was put is ignored and counted; on a stream of an earlier start it means all', async t => {
  const r = rig(t.testdir())
  const spool = await r.open()
  await spool.put(parcel('a'))
  const { stream } = takeAll(spool)[0]!
  const claim = { committed: new Map([[stream, 9]]), refused: [] }
  spool.settle('home', claim)
  spool.settle('home', { committed: new Map([[stream, Number.NaN]]), refused: [] })
  t.strictSame(labels(takeAll(spool)), ['a'])
  t.equal(spool.stats().protocol_errors, 2)
  t.match(r.said[0], { message: /claims what was never put/ })
  await spool.close()
  const again = await r.open()
  again.settle('home', claim)
  t.strictSame(takeAll(again), [])
  t.equal(again.stats().protocol_errors, 0)
  await again.close()
})

t.test('refused envelopes are set aside with the reason and block nothing', async t => {
  const r = rig(t.testdir(), { uplinks: ['home', 'cloud'] })
  const spool = await r.open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label))
  const { stream } = takeAll(spool)[0]!
  spool.settle('home', { committed: new Map([[stream, 1]]), refused: [{ stream, seq: 2, reason: 'no such node' }] })
  t.match(
    takeAll(spool),
    [{ seq: 3, previous: 0 }].map(() => ({ seq: 3 })),
  )
  t.strictSame(labels(takeAll(spool, 'cloud')), ['a', 'b', 'c'], 'the other uplink may still want it')
  t.match(spool.refused(10), [{ uplink: 'home', reason: 'no such node', stream, seq: 2, samples: 10, bytes: 100 }])
  t.equal(spool.stats().refused_envelopes, 1)
  settleAll(spool, takeAll(spool))
  settleAll(spool, takeAll(spool, 'cloud'), 'cloud')
  await spool.close()
  const again = await r.open()
  t.equal(again.refused(10).length, 1)
  t.equal(again.stats().envelopes, 0)
  await again.close()
})

t.test('what follows a refused envelope names the one before it that will be sent', async t => {
  const spool = await rig(t.testdir(), { uplinks: ['home', 'cloud'] }).open()
  for (const label of ['a', 'b', 'c', 'd']) await spool.put(parcel(label))
  const { stream } = takeAll(spool)[0]!
  spool.settle('home', { committed: new Map([[stream, 1]]), refused: [{ stream, seq: 3, reason: 'bad' }] })
  t.match(takeAll(spool), [
    { seq: 2, previous: 1 },
    { seq: 4, previous: 2 },
  ])
  spool.settle('home', { committed: new Map([[stream, 2]]), refused: [] })
  t.match(takeAll(spool), [{ seq: 4 }])
  await spool.close()
})

t.test('the table of refused envelopes keeps the newest thousand', async t => {
  const spool = await rig(t.testdir()).open()
  await Promise.all(Array.from({ length: 1100 }, (_, n) => spool.put(parcel(`${n}`))))
  const batch = takeAll(spool)
  const refused = batch.map(({ stream, seq }) => ({ stream, seq, reason: 'bad' }))
  spool.settle('home', { committed: new Map([[batch[0]!.stream, 1100]]), refused })
  const list = spool.refused(5000)
  t.equal(list.length, 1000)
  t.match([list[0]!.seq, list[999]!.seq], [1100, 101])
  await spool.close()
})

t.test('the table of refused envelopes keeps at most 16 MiB', async t => {
  const spool = await rig(t.testdir()).open()
  for (let n = 0; n < 5; n++) await spool.put(parcel(`${n}`, 4 * 1024 * 1024))
  const batch = takeAll(spool)
  const refused = batch.map(({ stream, seq }) => ({ stream, seq, reason: 'bad' }))
  spool.settle('home', { committed: new Map([[batch[0]!.stream, 5]]), refused })
  t.strictSame(
    spool.refused(10).map(({ seq }) => seq),
    [5, 4, 3, 2],
  )
  await spool.close()
})

t.test('at its cap the oldest metrics go, then events, every one counted and declared', async t => {
  const r = rig(t.testdir(), { max_bytes: 2000 })
  const spool = await r.open()
  await spool.put(parcel('e', 300, 'events'))
  for (let n = 1; n <= 6; n++) await spool.put(parcel(`m${n}`, 300))
  t.ok(spool.stats().bytes <= 2000)
  t.match(spool.stats(), { dropped_envelopes: 3, dropped_samples: 30, dropped_events: 0 })
  const batch = takeAll(spool)
  const [gap] = batch.map(gapOf).filter(gap => gap !== undefined)
  t.match(gap, { cause: 'full', envelopes: 1, samples: 10, events: 0, from: start, to: start + 1000 })
  t.strictSame(labels(batch.filter(e => gapOf(e) === undefined)), ['e', 'm4', 'm5', 'm6'])
  r.time += 60_000
  await spool.put(parcel('e2', 1600, 'events'))
  const later = takeAll(spool)
  t.ok(spool.stats().bytes <= 2000)
  t.ok(labels(later).includes('e2'))
  t.match(
    later
      .map(gapOf)
      .filter(gap => gap !== undefined)
      .at(-1),
    { envelopes: 2, samples: 20 },
    'the rest, a minute on',
  )
  await spool.close()
})

t.test('exactly at the cap nothing goes, and one more costs only what it needs', async t => {
  const spool = await rig(t.testdir(), { max_bytes: 1200 }).open()
  for (const label of ['a', 'b', 'c']) await spool.put(parcel(label, 300))
  t.match(spool.stats(), { bytes: 1200, envelopes: 3, dropped_envelopes: 0 })
  await spool.put(parcel('d', 300))
  t.strictSame(labels(takeAll(spool)), ['b', 'c', 'd'])
  await spool.close()
})

t.test('a gap that was not declared yet is declared after a restart', async t => {
  const r = rig(t.testdir(), { max_bytes: 1000 })
  const spool = await r.open()
  for (let n = 0; n < 9; n++) await spool.put(parcel(`${n}`, 300))
  const { dropped_envelopes } = spool.stats()
  await spool.close()
  const again = await r.open()
  await again.put(parcel('x', 10))
  const gaps = takeAll(again).flatMap(envelope => gapOf(envelope) ?? [])
  t.equal(gaps.length, 2)
  t.equal(gaps[0]!.envelopes + gaps[1]!.envelopes, dropped_envelopes)
  await again.close()
})

t.test('with refuse a full spool says so and drops nothing', async t => {
  const r = rig(t.testdir(), { max_bytes: 1000, when_full: 'refuse' })
  const spool = await r.open()
  const puts = await Promise.allSettled(['a', 'b', 'c'].map(label => spool.put(parcel(label, 300))))
  t.strictSame(
    puts.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  t.type((puts[2] as PromiseRejectedResult).reason, SpoolFull)
  r.time += 30 * 86_400_000
  settleAll(spool, takeAll(spool).slice(0, 1))
  await spool.put(parcel('d', 300))
  t.strictSame(labels(takeAll(spool)), ['b', 'd'])
  await spool.close()
})

t.test('a parcel larger than the cap is refused at once', async t => {
  const spool = await rig(t.testdir(), { max_bytes: 1000 }).open()
  await spool.put(parcel('a'))
  await t.rejects(spool.put(parcel('b', 1000)), { name: 'SpoolFull' })
  t.strictSame(labels(takeAll(spool)), ['a'])
  await spool.close()
})

t.test('what is too old goes; a clock that was not set yet makes nothing old', async t => {
  const r = rig(t.testdir(), { max_age: 3_600_000 })
  const spool = await r.open()
  r.time = 5_000_000
  await spool.put(parcel('unset'))
  r.time = start
  spool.rotate()
  await spool.put(parcel('old'))
  r.time += 3_700_000
  await spool.put(parcel('new'))
  const batch = takeAll(spool)
  t.strictSame(labels(batch.filter(e => gapOf(e) === undefined)), ['new', 'unset'])
  await spool.put(parcel('more'))
  t.match(
    takeAll(spool)
      .map(gapOf)
      .find(gap => gap !== undefined),
    { cause: 'age', envelopes: 1, samples: 10 },
  )
  await spool.close()
})

t.test('puts go on when a gap cannot be put into words', async t => {
  const declare = (): never => {
    throw new Error('no words')
  }
  const r = rig(t.testdir(), { max_bytes: 1000, declare })
  const spool = await r.open()
  for (let n = 0; n < 9; n++) await spool.put(parcel(`${n}`, 300))
  t.strictSame(labels(takeAll(spool)), ['7', '8'])
  t.equal(r.said.filter(({ message }) => message.includes('no words')).length, 1)
  await spool.close()
})

t.test('an uplink waits until something is put, or it is told to stop', async t => {
  const spool = await rig(t.testdir()).open()
  const stop = new AbortController()
  await spool.waiting('home', stop.signal)
  t.pass('before the first take there may be something')
  takeAll(spool)
  let woke = false
  const waiting = spool.waiting('home', stop.signal).then(() => {
    woke = true
  })
  await turn()
  t.notOk(woke)
  await spool.put(parcel('a'))
  await waiting
  takeAll(spool)
  const stopped = spool.waiting('home', stop.signal)
  stop.abort()
  await stopped
  await spool.waiting('home', stop.signal)
  await spool.close()
})

t.test('closing stores what was put, is safe twice, and ends puts', async t => {
  const r = rig(t.testdir())
  const spool = await r.open()
  const put = spool.put(parcel('a'))
  await spool.close()
  await spool.close()
  await put
  await t.rejects(spool.put(parcel('b')), { message: /closed/ })
  const again = await r.open()
  t.strictSame(labels(takeAll(again)), ['a'])
  t.equal(again.id, spool.id)
  await again.close()
})

t.test('a node that was renamed sends its old rows under the new name, sealed anew', async t => {
  const r = rig(t.testdir())
  const spool = await r.open()
  await spool.put(parcel('a'))
  await spool.close()
  const renamed = await rig(r.options.folder, { node: 'web-2' }).open()
  const { encodeEnvelope, decodeEnvelope } = await import('../../core/envelope.ts')
  t.match(decodeEnvelope(encodeEnvelope(takeAll(renamed)[0]!)), { node: 'web-2', seq: 1 })
  await renamed.close()
})

t.test('times and counts that are no whole numbers are refused', async t => {
  const spool = await rig(t.testdir()).open()
  for (const wrong of [{ firstTime: 0.5 }, { samples: -1 }, { lastTime: Number.NaN }]) {
    await t.rejects(spool.put({ ...parcel('a'), ...wrong }), { name: 'Refused' })
  }
  await spool.close()
})

t.test('a second daemon on the same folder fails and names the first', async t => {
  const r = rig(t.testdir())
  const spool = await r.open()
  await t.rejects(r.open(), { message: new RegExp(`in use by process ${process.pid}$`) })
  await spool.put(parcel('a'))
  await spool.close()
  await (await r.open()).close()
})

t.test('what is put together is kept together or not at all', async t => {
  const spool = await rig(t.testdir(), { when_full: 'refuse', max_bytes: 1000 }).open()
  await t.rejects(spool.put(parcel('a', 400), parcel('b', 700)), { name: 'SpoolFull' })
  t.strictSame(labels(takeAll(spool)), [])
  await spool.put(parcel('c', 200), parcel('d', 200))
  t.strictSame(labels(takeAll(spool)), ['c', 'd'])
  await spool.close()
})
