// A real file system without room.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Open, openFile } from '../../../agent/spool/tables.ts'
import type { Spool } from '../../../agent/spool.ts'
import { drain, labelOf, parcel, rig, settleAll, takeAll } from './rig.ts'

interface Disk {
  readonly folder: string
  readonly open: Open | undefined
  fill(): void
  empty(): void
}

/** 1 MiB of tmpfs where that may be mounted, else errors made up. */
function smallDisk(t: Test): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-disk-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'fieldline-test', folder]).status === 0
  if (!mounted) return imagined(t, folder)
  t.teardown(() => void spawnSync('umount', ['-l', folder]))
  const ballast = join(folder, 'ballast')
  const fill = (): void => {
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(512), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  return { folder, open: undefined, fill, empty: () => rmSync(ballast) }
}

function imagined(t: Test, folder: string): Disk {
  t.comment('mounting a tmpfs is not permitted here: SQLITE_FULL is injected instead of a disk that is really full')
  let full = false
  const open: Open = file => {
    const db = openFile(file)
    const exec = db.exec.bind(db)
    db.exec = sql => {
      if (full && sql === 'COMMIT') throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
      return exec(sql)
    }
    return db
  }
  const set = (value: boolean) => (): void => {
    full = value
  }
  return { folder, open, fill: set(true), empty: set(false) }
}

/** Puts until one is rejected; the labels of those that were not. */
async function putUntilFull(spool: Spool, prefix: string, most = 2000): Promise<string[]> {
  const kept: string[] = []
  for (let n = 0; n < most; n++) {
    try {
      await spool.put(parcel(`${prefix}${n}`, 4000))
      kept.push(`${prefix}${n}`)
    } catch {
      return kept
    }
  }
  throw new Error('the disk was never full')
}

t.test('a disk filled by others: puts are rejected, draining goes on, and with room puts go on', async t => {
  const disk = smallDisk(t)
  const r = rig(disk.folder)
  const spool = await r.open(disk.open)
  for (let n = 0; n < 20; n++) await spool.put(parcel(`a${n}`, 4000))
  disk.fill()
  const kept = await putUntilFull(spool, 'b')
  await t.rejects(spool.put(parcel('no', 4000)), { message: 'spool: cannot store' })
  t.equal(r.said.filter(({ severity }) => severity === 'error').length, 1, 'said once')
  const first = takeAll(spool)
  t.equal(first.length, 20 + kept.length)
  settleAll(spool, first.slice(0, 5))
  t.equal(takeAll(spool).length, 15 + kept.length, 'settling goes on in memory')
  disk.empty()
  await spool.put(parcel('c', 4000))
  t.match(r.said.at(-1), { message: /can store again/ })
  t.strictSame(takeAll(spool).map(labelOf), [...first.slice(5).map(labelOf), 'c'])
  await spool.close()
  const again = await rig(disk.folder).open(disk.open)
  t.equal(takeAll(again).length, 16 + kept.length)
  await again.close()
})

t.test('a disk filled by the spool itself: once all is delivered it goes on, without anyone making room', async t => {
  const disk = smallDisk(t)
  if (disk.open !== undefined) return
  const r = rig(disk.folder)
  const spool = await r.open()
  for (let round = 0; round < 3; round++) {
    const kept = await putUntilFull(spool, `${round}.`)
    t.ok(kept.length > 20, `${kept.length} fit`)
    t.strictSame(drain(spool).map(labelOf), kept)
    await spool.put(parcel('next', 4000))
    t.strictSame(drain(spool).map(labelOf), ['next'])
  }
  t.equal(spool.stats().salvages, 0)
  await spool.close()
})

t.test('a spool on a full disk opens, delivers what it holds and takes what then fits', async t => {
  const disk = smallDisk(t)
  const spool = await rig(disk.folder).open(disk.open)
  for (let n = 0; n < 20; n++) await spool.put(parcel(`${n}`, 4000))
  await spool.close()
  disk.fill()
  const r = rig(disk.folder)
  const again = await r.open(disk.open)
  t.equal(drain(again).length, 20)
  disk.empty()
  await again.put(parcel('x'))
  t.strictSame(takeAll(again).map(labelOf), ['x'])
  await again.close()
})
