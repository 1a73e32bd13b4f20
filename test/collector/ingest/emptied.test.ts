// What the fold does when the files beside it lost what they are joined by.

import { cpSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { collectorIn, Edge } from './collectors.ts'

t.test('a history that lost its cursor is not given again what its marks say it has', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder)
  const edge = new Edge('press-1')
  await first.intake.offer(edge.heat(0, [1, 2, 3]))
  await first.stop()
  const db = new SQLite(join(folder, 'history.db'))
  db.exec('DELETE FROM meta; DELETE FROM meta_spare')
  db.close()
  const second = await collectorIn(folder)
  await second.intake.offer(edge.heat(4000, [4]))
  await second.stop()
  const third = await collectorIn(folder)
  t.equal(third.all('press-1').length, 4)
  await third.stop()
})

t.test('an inbox cut to nothing gives what its log holds, and it is said', async t => {
  const folder = t.testdir({ live: {}, copy: {} })
  const [live, copy] = [join(folder, 'live'), join(folder, 'copy')]
  const first = await collectorIn(live)
  await first.intake.offer(new Edge('press-1').heat(0, [1, 2, 3]))
  cpSync(live, copy, { recursive: true })
  await first.stop()
  truncateSync(join(copy, 'inbox.db'), 0)
  const second = await collectorIn(copy)
  t.equal(second.all('press-1').length, 3)
  t.match(second.said, [/^error inbox: .* was damaged and is set aside/])
  await second.stop()
})

t.test('a history cut to nothing is said', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder)
  await first.stop()
  truncateSync(join(folder, 'history.db'), 0)
  const second = await collectorIn(folder)
  t.match(second.said, [/^critical history: the file was damaged \(it has no bytes left\)/])
  await second.stop()
})
