import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { type History, openHistory } from '../../../collector/store/history.ts'
import type { Severity } from '../../../core/model.ts'
import { type Random, seeded } from '../../random.ts'
import { flip } from '../../road/harm.ts'

const hour = 3_600_000
const origin = 494_444 * hour
const nothing = () => {}
const series = 40
const perSeries = 2000
const pageSize = 8192

/** A history of 80,000 samples in which the value is the time's offset, beside a table of 500 records. */
function build(folder: string): string {
  const history = openHistory({ folder, say: nothing, now: () => origin + 2 * hour })
  history.db.exec('CREATE TABLE record (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX record_text ON record (text)')
  const refs = Array.from({ length: series }, (_, n) =>
    history.ref('n1', { name: `m${n}`, unit: '1', kind: 'gauge', attributes: { n } }),
  )
  for (let n = 0; n < perSeries; n += 250) {
    for (const ref of refs) for (let i = n; i < n + 250; i++) history.append(ref, origin + i * 1000, i / 7)
    history.fold(n, db => {
      const insert = db.prepare('INSERT INTO record VALUES (?, ?)')
      for (let i = n; i < n + 250; i++) insert.run(i, record(i))
    })
    if (n === 1000) history.compact(1e9)
  }
  history.close()
  return join(folder, 'history.db')
}

const record = (id: number) => `record ${id} `.repeat(4)

interface Samples {
  samples: number
  /** Those that are not what was written. */
  wrong: number
}

function read(history: History): Samples & { cursor: number; records: number } {
  const sql = 'SELECT id, text FROM record'
  const rows = history.db.prepare(sql).raw().all() as [number, string][]
  const records = rows.filter(([id, text]) => text === record(id)).length
  return { ...readSamples(history), cursor: history.cursor, records }
}

function readSamples(history: History): Samples {
  const all = { samples: 0, wrong: 0 }
  for (const ref of history.find({})) {
    const { times, values } = history.range(ref, 0, origin * 2)
    all.samples += times.length
    times.forEach((time, n) => {
      if (values[n] !== (time - origin) / 7000) all.wrong++
    })
  }
  return all
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

function reopen(folder: string): { history: History; said: string[] } {
  const said: string[] = []
  const say = (severity: Severity, message: string) => {
    said.push(`${severity} ${message}`)
  }
  return { history: openHistory({ folder, say, now: () => origin + 2 * hour }), said }
}

function damaged(t: { testdir(): string }, good: string, damage: (path: string) => void): string {
  const folder = t.testdir()
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'history.db')
  copyFileSync(good, path)
  damage(path)
  return folder
}

const junk = (dice: Random, length: number) => Buffer.from(Array.from({ length }, () => dice.below(256)))

t.test('damage', async t => {
  const good = build(t.testdir())
  const size = statSync(good).size
  const whole = series * perSeries

  t.test('each page overwritten in turn: the history opens, says so once, and the rest reads', async t => {
    const dice = seeded(t)
    const pages = size / pageSize
    t.ok(pages > 30, `${pages} pages`)
    const lost: number[] = []
    for (let page = 1; page < pages; page += page < 6 ? 1 : 1 + dice.below(20)) {
      const folder = damaged(t, good, path => overwrite(path, page * pageSize, junk(dice, pageSize)))
      const { history, said } = reopen(folder)
      const got = read(history)
      t.equal(got.wrong, 0)
      t.ok(got.cursor === 1750, `cursor ${got.cursor} with page ${page} gone`)
      lost.push(1 - got.samples / whole, 1 - got.records / perSeries)
      if (said.length > 0) t.match(said[0], /^critical history: the file was damaged .* kept aside/)
      history.append(history.ref('n1', { name: 'new', unit: '1', kind: 'gauge', attributes: {} }), origin, 1)
      history.fold(2000, nothing)
      t.equal(history.db.pragma('integrity_check', { simple: true }), 'ok')
      history.close()
      const again = reopen(folder)
      t.same(again.said, [], 'sound from then on')
      again.history.close()
    }
    lost.sort((a, b) => a - b)
    t.ok(lost[Math.floor(lost.length * 0.8)]! < 0.05, `mostly little is lost, at worst ${lost.at(-1)}`)
  })

  t.test('lost leaf pages cost their own rows and no others', async t => {
    const { history } = reopen(damaged(t, good, nothing))
    const sql = "SELECT pageno, ncell FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
    const leavesOf = (name: string) => history.db.prepare(sql).raw().all(name) as [number, number][]
    const lost = leavesOf('record').filter((_, n) => n === 3 || n === 5 || n === 9)
    history.close()
    const folder = damaged(t, good, path => {
      for (const [page] of lost) overwrite(path, (page - 1) * pageSize, Buffer.alloc(pageSize, 0x5a))
    })
    const rows = lost.reduce((sum, [, cells]) => sum + cells, 0)
    t.ok(rows > 100, `${rows} rows on ${lost.length} pages`)
    const after = reopen(folder).history
    t.match(read(after), { records: perSeries - rows, samples: whole })
    after.close()
  })

  t.test('a damaged block is left out, counted and said once; damaged minutes cost nothing', async t => {
    const { history, said } = reopen(damaged(t, good, nothing))
    history.compact(1e9)
    const ref = history.find({})[0]!
    const window = { from: origin, to: origin + hour, buckets: 10 }
    const before = history.query([ref], window).series[0]!.mean
    const spoil = (column: string, byte: number) => {
      const blob = history.db.prepare(`SELECT ${column} FROM chunk WHERE series = ?`).pluck().get(ref.id) as Buffer
      blob[byte]! ^= 4
      history.db.prepare(`UPDATE chunk SET ${column} = ? WHERE series = ?`).run(blob, ref.id)
    }
    spoil('minutes', 100)
    t.same(history.query([ref], window).series[0]!.mean.map(Math.fround), before.map(Math.fround))
    t.equal(history.stats().damaged, 1)
    spoil('samples', 1000)
    const left = history.range(ref, 0, origin * 2).times.length
    t.ok(left === perSeries - 1024 || left === 1024, `${left} left`)
    history.range(ref, 0, origin * 2)
    t.equal(said.length, 1, 'once a chunk')
    history.close()
  })

  t.test('flipped bits are skipped and counted, or salvaged', async t => {
    const dice = seeded(t)
    for (let round = 0; round < 15; round++) {
      const at = pageSize + dice.below(size - pageSize)
      const folder = damaged(t, good, path =>
        overwrite(path, at, Buffer.of(readFileSync(path)[at]! ^ (1 << dice.below(8)))),
      )
      const { history, said } = reopen(folder)
      const got = read(history)
      t.equal(got.wrong, 0)
      if (got.samples < whole)
        t.ok(history.stats().damaged > 0 || said.length > 0, `${whole - got.samples} lost at ${at} and said`)
      history.close()
    }
  })

  t.test('fifty flipped bits never keep it from opening, and what they cost is said', async t => {
    const dice = seeded(t)
    for (let round = 0; round < 25; round++) {
      const folder = damaged(t, good, path => flip(path, dice, 50))
      const { history, said } = reopen(folder)
      const got = readSamples(history)
      t.equal(got.wrong, 0)
      if (got.samples < whole)
        t.ok(history.stats().damaged > 0 || said.length > 0, `${whole - got.samples} lost and said`)
      history.append(history.ref('n1', { name: 'new', unit: '1', kind: 'gauge', attributes: {} }), origin, 1)
      history.fold(2000, nothing)
      history.close()
    }
  })

  t.test('a series whose row became another is given up with its samples, and that is said once', async t => {
    for (const [column, value] of [
      ['name', 'm8'],
      ['attributes', '{"n":'],
    ]) {
      const folder = damaged(t, good, path => {
        const db = new Database(path)
        db.prepare(`UPDATE series SET ${column} = ? WHERE id = 7`).run(value)
        db.close()
      })
      const { history, said } = reopen(folder)
      t.equal(readSamples(history).samples, whole - perSeries)
      t.strictSame(said, [
        'error history: series that no longer read as they were written are lost, with their samples',
      ])
      t.equal(history.stats().series, series - 1)
      history.close()
      const again = reopen(folder)
      t.strictSame(again.said, [])
      again.history.close()
    }
  })

  t.test('a table whose description became another is read by what it should be', async t => {
    const folder = damaged(t, good, path => {
      const bytes = readFileSync(path)
      const at = bytes.indexOf('hour INTEGER')
      overwrite(path, at, Buffer.from('hous'))
    })
    const { history, said } = reopen(folder)
    t.strictSame([readSamples(history), history.cursor], [{ samples: whole, wrong: 0 }, 1750])
    t.match(said, [/^critical history: the file was damaged \(.*chunk/])
    history.close()
  })

  t.test('a file cut short anywhere is salvaged', async t => {
    const dice = seeded(t)
    for (let round = 0; round < 5; round++) {
      const folder = damaged(t, good, path => truncateSync(path, 1 + dice.below(size - 1)))
      const { history, said } = reopen(folder)
      t.equal(readSamples(history).wrong, 0)
      t.equal(said.filter(s => s.startsWith('critical')).length, 1)
      t.equal(readdirSync(folder).filter(name => /^history\.db\.corrupt-\w+$/.test(name)).length, 1, 'kept aside')
      history.close()
    }
  })

  t.test('a salvage that a crash cut short begins anew', async t => {
    const folder = damaged(t, good, path => {
      truncateSync(path, size - 3 * pageSize)
      writeFileSync(`${path}.new`, 'the first page of')
    })
    const { history, said } = reopen(folder)
    t.match(said, [/^critical history: the file was damaged/])
    t.ok(readSamples(history).samples > whole / 2)
    history.close()
    t.notOk(existsSync(join(folder, 'history.db.new')))
  })

  t.test('a crash between the renames of a salvage is finished at the next start', async t => {
    const folder = damaged(t, good, path => {
      renameSync(path, `${path}.ready`)
      writeFileSync(path, 'the damaged one')
    })
    const { history, said } = reopen(folder)
    t.strictSame([readSamples(history), said], [{ samples: whole, wrong: 0 }, []])
    history.close()
    t.notOk(existsSync(join(folder, 'history.db.ready')))
  })

  t.test('damage met while running is said once, and salvaged at the next start', async t => {
    const folder = damaged(t, good, () => {})
    const { history, said } = reopen(folder)
    const root = history.db
      .prepare("SELECT rootpage FROM sqlite_master WHERE name = 'chunk_kept'")
      .pluck()
      .get() as number
    overwrite(join(folder, 'history.db'), (root - 1) * pageSize, Buffer.alloc(pageSize, 0x5a))
    history.db.pragma('cache_size = 0')
    history.db.pragma('shrink_memory')
    const ref = history.find({})[0]!
    t.throws(() => history.range(ref, 0, origin * 2), { code: 'SQLITE_CORRUPT' })
    t.throws(() => history.range(ref, 0, origin * 2), { code: 'SQLITE_CORRUPT' })
    t.equal(said.length, 1)
    history.close()
    const again = reopen(folder)
    t.match(again.said, [/critical history: the file was damaged/])
    t.match(read(again.history), { samples: whole, wrong: 0, cursor: 1750, records: perSeries })
    again.history.close()
  })
})
