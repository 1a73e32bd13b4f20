import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import SQLite, { type Statement } from 'better-sqlite3'
import t from 'tap'
import { seeded } from '../../random.ts'
import { envelope, inboxIn, names } from './envelopes.ts'

const count = 60

/** A closed inbox with 60 rows of 3 KB: overflow pages, interior pages and a stream table. */
async function filled(folder: string): Promise<Set<string>> {
  const { inbox, rows } = inboxIn(folder)
  for (let seq = 1; seq <= count; seq++) await inbox.offer(large(seq))
  await inbox.close()
  return new Set(names(rows))
}

function large(seq: number) {
  return envelope(seq, { payload: Buffer.alloc(3000, `row ${seq} `) })
}

/** Opens after the damage: everything read is something stored, new rows come after, nothing is stored twice. */
async function survives(t: Tap.Test, folder: string, stored: ReadonlySet<string>): Promise<number> {
  const { inbox, rows, said } = inboxIn(folder)
  const read = names(inbox.after(0))
  t.ok(
    read.every(name => stored.has(name)),
    'only what was stored reads',
  )
  t.ok((await inbox.offer(envelope(200, { previous: 0 }))).watermark >= 200)
  await inbox.close()
  t.ok((rows[0]?.id ?? 0) > read.length, 'a new row has a new id')
  t.ok(said.length <= 1, said.join('\n'))
  return read.length
}

declare namespace Tap {
  type Test = Pick<typeof t, 'ok' | 'equal' | 'match'>
}

const damages: Readonly<Record<string, { readonly least: number; damage(file: string): void }>> = {
  'a file that is no database': { least: 0, damage: file => writeFileSync(file, 'hello '.repeat(5000)) },
  'a file cut to nothing': { least: 0, damage: file => truncateSync(file, 0) },
  'a file cut in its header': { least: 0, damage: file => truncateSync(file, 50) },
  'a file cut in the middle': { least: 1, damage: file => truncateSync(file, 100_000) },
  'a flipped bit in the header': { least: 0, damage: file => overwrite(file, 3) },
  'a damaged page in the middle': { least: 30, damage: file => overwrite(file, 100_352, 4096) },
  'a damaged payload': { least: count - 2, damage: file => overwrite(file, 80_000, 8) },
}

for (const [what, { least, damage }] of Object.entries(damages)) {
  t.test(`${what} does not stop the inbox`, async t => {
    const folder = t.testdir()
    const stored = await filled(folder)
    damage(join(folder, 'inbox.db'))
    const read = await survives(t, folder, stored)
    t.ok(read >= least, `${read} of ${count} rows read, expected at least ${least}`)
  })
}

t.test('damage is said with what was saved, the file is kept aside, and three of them at most', async t => {
  const folder = t.testdir()
  await filled(folder)
  for (let n = 0; n < 5; n++) {
    overwrite(join(folder, 'inbox.db'), 100_352, 4096)
    const { inbox, said } = inboxIn(folder, { now: () => Date.UTC(2026, 5, 1, n) })
    t.match(said, [/error inbox: .* was damaged/])
    t.equal(inbox.stats().salvages, 1)
    await inbox.close()
    if (n < 4) await refill(folder)
  }
  const aside = readdirSync(folder).filter(name => name.includes('corrupt'))
  t.equal(aside.length, 3, aside.join(' '))
})

async function refill(folder: string): Promise<void> {
  const { inbox } = inboxIn(folder)
  for (let seq = 300; seq < 340; seq++)
    await inbox.offer({ ...large(seq), stream: `again.metrics.${Date.now()}`, previous: 0 })
  await inbox.close()
}

t.test('salvaged watermarks still keep duplicates out', async t => {
  const folder = t.testdir()
  await filled(folder)
  overwrite(join(folder, 'inbox.db'), 100_352, 4096)
  const { inbox } = inboxIn(folder)
  t.equal((await inbox.offer(large(count))).watermark, count)
  t.equal(inbox.stats().duplicate_envelopes, 1)
  await inbox.close()
})

t.test('damage met while running is repaired before the next commit, and its offer rejected', async t => {
  const folder = t.testdir()
  let damaged = false
  const { inbox, rows, said } = inboxIn(folder, {
    open: file => {
      const db = new SQLite(file)
      return new Proxy(db, {
        get(target, key) {
          const value = Reflect.get(target, key)
          if (typeof value !== 'function') return value
          return (...parameters: unknown[]) => {
            const result = Reflect.apply(value, target, parameters)
            if (key !== 'prepare' || parameters[0] !== 'COMMIT') return result
            return { run: () => (damaged ? corrupt() : (result as Statement).run()) }
          }
        },
      })
    },
  })
  const corrupt = (): void => {
    damaged = false
    throw new SQLite.SqliteError('database disk image is malformed', 'SQLITE_CORRUPT')
  }
  await inbox.offer(envelope(1))
  damaged = true
  await t.rejects(inbox.offer(envelope(2)), /cannot commit/)
  t.equal((await inbox.offer(envelope(2))).watermark, 2)
  await inbox.close()
  t.same(
    rows.map(r => [r.id, r.seq]),
    [
      [1, 1],
      [2, 2],
    ],
  )
  t.equal(said.filter(line => line.includes('damaged')).length, 1)
})

t.test('a crash between the renames of a salvage is finished at the next start', async t => {
  const folder = t.testdir()
  const stored = await filled(folder)
  const file = join(folder, 'inbox.db')
  renameSync(file, `${file}.ready`)
  writeFileSync(file, 'the damaged one')
  const { inbox } = inboxIn(folder)
  t.same(new Set(names(inbox.after(0))), stored)
  await inbox.close()
  t.notOk(existsSync(`${file}.ready`))
})

t.test('bits flipped anywhere never stop it, nor bring up what was not stored', async t => {
  const random = seeded(t)
  const folder = t.testdir()
  const stored = await filled(folder)
  const file = join(folder, 'inbox.db')
  const whole = read(file)
  for (let n = 0; n < 40; n++) {
    writeFileSync(file, whole)
    for (let k = random.below(3); k >= 0; k--) overwrite(file, random.below(whole.length), 1 + random.below(40))
    if (random.below(4) === 0) truncateSync(file, random.below(whole.length))
    await survives(t, folder, stored)
  }
})

function read(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  const bytes = Buffer.alloc(fstatSync(descriptor).size)
  readSync(descriptor, bytes)
  closeSync(descriptor)
  return bytes
}

/** Turns bytes over. */
function overwrite(file: string, at: number, length = 1): void {
  const descriptor = openSync(file, 'r+')
  const bytes = Buffer.alloc(length)
  const got = readSync(descriptor, bytes, 0, length, at)
  for (let n = 0; n < got; n++) bytes[n] = bytes[n]! ^ 0x5a
  writeSync(descriptor, bytes, 0, got, at)
  closeSync(descriptor)
}
