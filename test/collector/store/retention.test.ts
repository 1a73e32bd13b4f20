import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openHistory } from '../../../collector/store/history.ts'
import type { Series } from '../../../core/model.ts'

const hour = 3_600_000
const origin = 494_444 * hour
const unlimited = 2 ** 50
const say = () => {}
const nothing = () => {}
const gauge = (name: string): Series => ({ name, unit: '1', kind: 'gauge', attributes: {} })

t.test('samples beyond the age go by whole hours, and series without any left go with them', async t => {
  let now = origin
  const folder = t.testdir()
  const history = openHistory({ folder, say, now: () => now })
  const short = history.ref('n1', gauge('short'))
  const long = history.ref('n1', gauge('long'))
  history.append(short, origin + 1, 1)
  for (let n = 0; n < 10; n++) history.append(long, origin + n * hour + 7, n)
  history.fold(1, nothing)
  now = origin + 10 * hour
  history.compact(1000)
  t.notOk(history.retain({ age: 10 * hour, max_bytes: unlimited }), 'nothing is older yet')
  t.equal(history.stats().retired_samples, 0)
  t.notOk(history.retain({ age: 5 * hour - 1, max_bytes: unlimited }))
  t.same([...history.range(long, 0, now).values], [5, 6, 7, 8, 9])
  t.match(long, { firstTime: origin + 5 * hour + 7, count: 5 })
  t.same(history.find({}), [long])
  t.match(history.stats(), { retired_samples: 6, retired_series: 1, series: 1 })
  history.close()
  const again = openHistory({ folder, say, now: () => now })
  t.equal(again.find({}).length, 1)
  t.match(again.find({})[0], { firstTime: origin + 5 * hour + 7, lastTime: origin + 9 * hour + 7, count: 5 })
  again.close()
})

t.test('a removed series that speaks again is itself again, under its id', async t => {
  let now = origin
  const history = openHistory({ folder: t.testdir(), say, now: () => now })
  const ref = history.ref('n1', gauge('a'))
  history.append(ref, origin, 1)
  history.fold(1, nothing)
  now += 100 * hour
  history.retain({ age: hour, max_bytes: unlimited })
  t.equal(history.find({}).length, 0)
  t.match(ref, { count: 0, firstTime: Number.POSITIVE_INFINITY, lastTime: Number.NEGATIVE_INFINITY })
  history.append(ref, now, 2)
  t.equal(history.ref('n1', gauge('a')), ref)
  history.fold(2, nothing)
  t.same([...history.range(ref, 0, now + 1).values], [2])
  history.close()
})

t.test('what is still pending is never retired, however old', async t => {
  const now = origin + 100 * hour
  const history = openHistory({ folder: t.testdir(), say, now: () => now })
  const ref = history.ref('n1', gauge('a'))
  history.append(ref, origin, 1)
  history.fold(1, nothing)
  history.append(ref, origin + 1, 2)
  t.notOk(history.retain({ age: hour, max_bytes: unlimited }))
  t.match(ref, { count: 1, firstTime: origin + 1 })
  t.same([...history.range(ref, 0, now).values], [2])
  history.fold(2, nothing)
  t.same([...history.range(ref, 0, now).values], [2])
  history.close()
})

t.test('above the bytes the oldest hours go in slices, the file stays usable and gives space back', async t => {
  const folder = t.testdir()
  const now = origin + 40 * hour
  const history = openHistory({ folder, say, now: () => now })
  const refs = Array.from({ length: 600 }, (_, n) => history.ref('n1', gauge(`m${n}`)))
  for (let n = 0; n < 40; n++) {
    for (const ref of refs)
      for (let i = 0; i < 12; i++) history.append(ref, origin + n * hour + i * 1000, Math.random())
    history.fold(n, nothing)
  }
  const before = history.stats().bytes
  history.db.pragma('wal_checkpoint(TRUNCATE)')
  const file = () => statSync(join(folder, 'history.db')).size
  const size = file()
  let calls = 2
  t.ok(history.retain({ age: 1000 * hour, max_bytes: before / 2 }))
  t.equal(refs.filter(ref => ref.count < 40 * 12).length, 500, 'the first slice')
  while (history.retain({ age: 1000 * hour, max_bytes: before / 2 })) calls++
  t.ok(history.stats().bytes <= before / 2 && history.stats().bytes > before / 4, 'down to the limit, not far below')
  t.ok(calls > 2, `${calls} slices`)
  history.db.pragma('wal_checkpoint(TRUNCATE)')
  t.ok(file() < size, `the file shrank from ${size} to ${file()}`)
  t.equal(history.db.pragma('integrity_check', { simple: true }), 'ok')
  const left = history.range(refs[0]!, 0, now).times
  t.equal(left.at(-1), origin + 39 * hour + 11_000)
  t.equal(refs[0]!.count, left.length)
  history.close()
})
