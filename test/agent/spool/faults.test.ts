// The n-th operation on the database fails, for n = 1, 2, ... until a run meets no fault; once, or from then on.
// Whatever fails: what was acknowledged is there afterwards, nothing comes under two seqs, and nothing throws but put.

import type Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { type Open, openFile } from '../../../agent/spool/tables.ts'
import { drain, gapOf, labelOf, parcel, rig, settleAll, takeAll } from './rig.ts'

interface Fault {
  readonly at: number
  readonly lasts: boolean
  readonly code: string
  count: number
  off: boolean
}

class Injected extends Error {
  readonly code: string
  constructor(code: string) {
    super(`injected ${code}`)
    this.code = code
  }
}

function fail(fault: Fault): void {
  if (fault.off) return
  fault.count++
  if (fault.count === fault.at || (fault.lasts && fault.count > fault.at)) throw new Injected(fault.code)
}

/** Every way to the database counts as one operation: exec, pragma, run, get, all, iterate. */
function failing(fault: Fault): Open {
  return file => {
    fail(fault)
    const db = openFile(file)
    const { exec, pragma, prepare } = bound(db)
    db.exec = sql => {
      fail(fault)
      return exec(sql)
    }
    db.pragma = (text, options) => {
      fail(fault)
      return pragma(text.replace('synchronous = FULL', 'synchronous = OFF'), options)
    }
    db.prepare = ((sql: string) => counted(prepare(sql), fault)) as typeof db.prepare
    return db
  }
}

function bound(db: Database.Database): Pick<Database.Database, 'exec' | 'pragma' | 'prepare'> {
  return { exec: db.exec.bind(db), pragma: db.pragma.bind(db), prepare: db.prepare.bind(db) }
}

function counted(statement: Database.Statement, fault: Fault): Database.Statement {
  return new Proxy(statement, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...values: unknown[]) => {
        if (['run', 'get', 'all', 'iterate'].includes(String(name))) fail(fault)
        return Reflect.apply(value, target, values)
      }
    },
  })
}

interface Outcome {
  readonly acknowledged: Set<string>
  readonly delivered: Map<string, string>
}

/** Puts, takes, settles, rotates, sheds nothing; returns what was acknowledged. A put that fails is put once more. */
async function life(folder: string, fault: Fault, { acknowledged, delivered }: Outcome): Promise<void> {
  const spool = await rig(folder, { uplinks: ['home', 'cloud'] }).open(failing(fault))
  const put = async (label: string, lane: 'events' | 'metrics'): Promise<void> => {
    await spool.put({ ...parcel(label, 3000, lane), once: [label] }).then(
      () => acknowledged.add(label),
      () => undefined,
    )
  }
  for (let round = 0; round < 3; round++) {
    await Promise.all([put(`${round}a`, 'metrics'), put(`${round}b`, 'events')])
    await put(`${round}c`, 'metrics')
    const batch = takeAll(spool)
    for (const envelope of batch) delivered.set(`${envelope.stream} ${envelope.seq}`, labelOf(envelope))
    settleAll(spool, batch.slice(0, 2))
    const [refused] = batch.slice(2)
    if (refused !== undefined) {
      const { stream, seq } = refused
      spool.settle('home', { committed: new Map(), refused: [{ stream, seq, reason: 'bad' }] })
    }
    settleAll(spool, takeAll(spool, 'cloud').slice(0, 1), 'cloud')
    spool.rotate()
    spool.stats()
    spool.refused(5)
  }
  await spool.close()
}

async function check(t: Test, folder: string, { acknowledged, delivered }: Outcome, what: string): Promise<void> {
  const spool = await rig(folder, { uplinks: ['home', 'cloud'] }).open(failing({ ...none }))
  const refused = spool.refused(100).map(({ stream, seq }) => `${stream} ${seq}`)
  const seen = new Map(delivered)
  const problems: string[] = []
  for (const envelope of [...drain(spool), ...drain(spool, 'cloud')]) {
    if (gapOf(envelope) !== undefined) continue
    const key = `${envelope.stream} ${envelope.seq}`
    const label = labelOf(envelope)
    if ((seen.get(key) ?? label) !== label) problems.push(`${key} was ${seen.get(key)} and is ${label}`)
    seen.set(key, label)
  }
  const labels = [...seen.values()]
  for (const label of acknowledged) if (!labels.includes(label)) problems.push(`${label} is lost`)
  if (new Set(labels).size !== labels.length) problems.push(`delivered under two seqs: ${labels.sort()}`)
  if (refused.some(key => !seen.has(key))) problems.push('refused what was never there')
  for (const label of ['0a', '0b', '0c', '1a', '1b', '1c', '2a', '2b', '2c']) {
    if (spool.knows(label) && !labels.includes(label)) problems.push(`${label} is known and is not there`)
    if (acknowledged.has(label) && !spool.knows(label)) problems.push(`${label} is there and is not known`)
  }
  await spool.put(parcel('after'))
  if (!drain(spool).some(envelope => labelOf(envelope) === 'after')) problems.push('it does not go on')
  await spool.close()
  t.strictSame(problems, [], what)
}

const none: Fault = { at: 0, lasts: false, code: '', count: 0, off: true }

for (const code of ['SQLITE_IOERR_WRITE', 'SQLITE_FULL', 'SQLITE_CORRUPT', 'SQLITE_IOERR_READ']) {
  for (const lasts of [false, true]) {
    t.test(`${code} ${lasts ? 'from the n-th operation on' : 'at the n-th operation'}`, async t => {
      const folder = t.testdir()
      const step = lasts ? 5 : 1
      for (let at = 1; ; at += step) {
        const fault = { at, lasts, code, count: 0, off: false }
        const outcome: Outcome = { acknowledged: new Set(), delivered: new Map() }
        const place = `${folder}/${at}`
        await life(place, fault, outcome).catch(error => {
          if (!/^spool: cannot (open|lock)/.test(error.message)) throw error
        })
        await check(t, place, outcome, `operation ${at}`)
        if (fault.count < at) {
          t.equal(outcome.acknowledged.size, 9, `${fault.count} operations in all`)
          break
        }
      }
    })
  }
}

t.test('a commit that fails is said once, its puts are rejected, and the next ones go through', async t => {
  const fault = { at: 1, lasts: true, code: 'SQLITE_IOERR_WRITE', count: 0, off: true }
  const r = rig(t.testdir())
  const spool = await r.open(failing(fault))
  await spool.put(parcel('a'))
  fault.off = false
  for (const label of ['b', 'c']) {
    await t.rejects(spool.put(parcel(label)), { message: 'spool: cannot store', cause: { code: fault.code } })
  }
  fault.off = true
  await spool.put(parcel('d'))
  t.strictSame(takeAll(spool).map(labelOf), ['a', 'd'])
  t.match(r.said, [
    { severity: 'error', message: /cannot store: injected/ },
    { severity: 'info', message: /can store again/ },
  ])
  await spool.close()
})

t.test('a disk that does not read gives nothing to send and is said once', async t => {
  const fault = { at: 1, lasts: true, code: 'SQLITE_IOERR', count: 0, off: true }
  const r = rig(t.testdir())
  const spool = await r.open(failing(fault))
  await spool.put(parcel('a'))
  fault.off = false
  t.strictSame([takeAll(spool), takeAll(spool)], [[], []])
  fault.off = true
  t.strictSame(takeAll(spool).map(labelOf), ['a'])
  t.match(
    r.said.map(({ severity }) => severity),
    ['error', 'info'],
  )
  await spool.close()
})
