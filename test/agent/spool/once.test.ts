import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import type { Parcel } from '../../../agent/spool.ts'
import { drain, fast, labelOf, parcel, rig, start } from './rig.ts'

const keyed = (label: string, size?: number): Parcel => ({ ...parcel(label, size), once: [label] })

t.test(
  'a key is known from the moment its put resolves, after a restart, and after its envelope was drained',
  async t => {
    const r = rig(t.testdir())
    const spool = await r.open()
    t.notOk(spool.knows('a'))
    await Promise.all([
      spool.put(keyed('a')),
      spool.put({ ...parcel('b'), once: ['b1', 'b2'] }),
      spool.put(parcel('c')),
    ])
    t.strictSame(
      ['a', 'b1', 'b2', 'c'].map(key => spool.knows(key)),
      [true, true, true, false],
    )
    drain(spool)
    await spool.close()
    const again = await r.open()
    t.strictSame(
      ['a', 'b1', 'b2', 'c'].map(key => again.knows(key)),
      [true, true, true, false],
    )
    await again.close()
  },
)

t.test('a put that is refused leaves no key behind', async t => {
  const spool = await rig(t.testdir(), { max_bytes: 1000, when_full: 'refuse' }).open()
  await spool.put(keyed('a', 500))
  await t.rejects(spool.put(keyed('b', 500)), /full/)
  t.strictSame([spool.knows('a'), spool.knows('b')], [true, false])
  await spool.close()
})

t.test('keys are forgotten when they are too old, and the oldest when there are too many', async t => {
  const r = rig(t.testdir(), { once_age: 3_600_000, once_most: 50 })
  const spool = await r.open(fast)
  for (let n = 0; n < 80; n++) await spool.put(keyed(`n ${n}`))
  const known = Array.from({ length: 80 }, (_, n) => spool.knows(`n ${n}`))
  t.strictSame([known.indexOf(true), known.filter(Boolean).length], [30, 50])
  r.time = start + 1_800_000
  await spool.put(keyed('n late'))
  r.time = start + 3_700_000
  await spool.put(keyed('n last'))
  t.strictSame(
    ['n 79', 'n late', 'n last'].map(key => spool.knows(key)),
    [false, true, true],
  )
  await spool.close()
})

t.test('a source with many keys makes none of another forgotten; what a gone one left goes with its age', async t => {
  const r = rig(t.testdir(), { once_age: 3_600_000, once_most: 50 })
  const spool = await r.open(fast)
  await spool.put(keyed('ward 1'), keyed('gone 1'))
  for (let n = 0; n < 200; n++) await spool.put(keyed(`plant ${n}`))
  await spool.close()
  const again = await r.open(fast)
  r.time = start + 1_800_000
  await again.put(keyed('plant 200'), keyed('ward 2'))
  const known = ['ward 1', 'gone 1', 'plant 150', 'plant 151', 'ward 2'].map(key => again.knows(key))
  t.strictSame(known, [true, true, false, true, true])
  r.time = start + 3_700_000
  await again.put(keyed('ward 3'))
  t.strictSame(
    ['ward 1', 'gone 1', 'plant 199', 'plant 200', 'ward 2'].map(key => again.knows(key)),
    [false, false, false, true, true],
  )
  await again.close()
})

t.test('thousands of keys that come and go are all told apart', async t => {
  const r = rig(t.testdir(), { once_most: 1000 })
  const spool = await r.open(fast)
  for (let n = 0; n < 100; n++)
    await spool.put({ ...parcel(`${n}`), once: Array.from({ length: 100 }, (_, m) => `n ${n}.${m}`) })
  const known = (n: number): number =>
    Array.from({ length: 100 }, (_, m) => spool.knows(`n ${n}.${m}`)).filter(Boolean).length
  t.strictSame([0, 50, 89, 90, 99].map(known), [0, 0, 0, 100, 100])
  await spool.close()
})

t.test('a spool of an earlier release gets its keys with the first one', async t => {
  const folder = t.testdir()
  const r = rig(folder)
  const spool = await r.open()
  await spool.put(parcel('old'))
  await spool.close()
  const db = new Database(join(folder, 'spool.db'))
  t.equal(
    db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'once'").get(),
    undefined,
    'who has no keys has no table',
  )
  db.close()
  const again = await r.open()
  await again.put(keyed('new'))
  t.ok(again.knows('new'))
  await again.close()
})

t.test('a salvage keeps the keys of what is there or was delivered, and forgets those of what it lost', async t => {
  const folder = join(t.testdir(), 'live')
  const r = rig(folder)
  const spool = await r.open()
  const labels = Array.from({ length: 60 }, (_, n) => `label-${n}-`)
  for (const label of labels.slice(0, 20)) await spool.put(keyed(label, 3000))
  drain(spool)
  for (const label of labels.slice(20)) await spool.put(keyed(label, 3000))
  await spool.close()
  const copy = `${folder}-copy`
  cpSync(folder, copy, { recursive: true })
  const file = join(copy, 'spool.db')
  const bytes = readFileSync(file)
  for (const label of ['label-30-', 'label-59-']) bytes[bytes.indexOf(`${label}|${label}`) + 40]! ^= 1
  bytes.fill(0xff, 4096 + 3, 4096 + 8)
  writeFileSync(file, bytes)
  const mended = await rig(copy).open()
  t.ok(
    readdirSync(copy).some(name => name.includes('corrupt')),
    'it was salvaged',
  )
  const there = new Set(drain(mended).map(labelOf))
  t.notOk(there.has('label-30-') || there.has('label-59-'))
  for (const [n, label] of labels.entries()) t.equal(mended.knows(label), n < 20 || there.has(label), label)
  await mended.close()
  t.ok(existsSync(file))
})
