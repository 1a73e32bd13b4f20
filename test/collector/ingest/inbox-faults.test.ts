// The n-th operation on the database fails, n = 1, 2, ... once for a moment and once from then on, until a run meets
// no fault. Whatever was answered must be there afterwards, once; everything else must have been rejected.

import SQLite, { type Database } from 'better-sqlite3'
import t from 'tap'
import type { Open } from '../../../collector/ingest/inbox-salvage.ts'
import { envelope, inboxIn } from './envelopes.ts'

interface Fault {
  /** Operations still to succeed. */
  left: number
  readonly lasting: boolean
  met: boolean
}

/** A database whose n-th prepare, exec, pragma or statement fails with SQLITE_FULL. */
function faulty(fault: Fault): Open {
  const strike = (): void => {
    const struck = fault.left === 0 || (fault.lasting && fault.left < 0)
    fault.left--
    if (!struck) return
    fault.met = true
    throw new SQLite.SqliteError('database or disk is full', 'SQLITE_FULL')
  }
  const guard = <T extends object>(target: T, guarded: readonly string[]): T =>
    new Proxy(target, {
      get(object, key) {
        const value = Reflect.get(object, key)
        if (typeof value !== 'function') return value
        return (...parameters: unknown[]) => {
          if (guarded.includes(String(key))) strike()
          const result = Reflect.apply(value, object, parameters)
          return key === 'prepare' ? guard(result, ['run', 'get', 'all', 'iterate']) : result
        }
      },
    })
  return file => guard<Database>(new SQLite(file), ['prepare', 'exec', 'pragma'])
}

/** Offers 1 to 6 in three turns, each until it is answered or has failed twice; returns the seqs that were answered. */
async function offerAll(folder: string, open: Open): Promise<number[]> {
  const { inbox } = inboxIn(folder, { open })
  const answered: number[] = []
  for (const turn of [
    [1, 2],
    [3, 4],
    [5, 6],
  ]) {
    for (let attempt = 0; attempt < 2; attempt++) {
      const todo = turn.filter(seq => !answered.includes(seq))
      const results = await Promise.allSettled(todo.map(seq => inbox.offer(envelope(seq))))
      for (const [n, result] of results.entries()) {
        if (result.status === 'rejected') {
          if (!/cannot commit/.test(String(result.reason))) throw result.reason
        } else if (result.value.watermark >= todo[n]!) answered.push(todo[n]!)
      }
    }
  }
  await inbox.close()
  return answered
}

for (const lasting of [false, true]) {
  t.test(`whichever operation fails ${lasting ? 'from then on' : 'once'}, what was answered is there once`, async t => {
    let runs = 0
    for (let n = 0, met = true; met; n++, runs++) {
      const folder = t.testdir({})
      const fault: Fault = { left: n, lasting, met: false }
      let answered: number[] = []
      let started = true
      try {
        answered = await offerAll(folder, faulty(fault))
      } catch (error) {
        started = false
        if (!/disk is full/.test(String(error))) throw error
      }
      met = fault.met
      if (!lasting && started && answered.length < 6) t.fail(`n=${n}: a passing fault left ${answered}`)
      const { inbox } = inboxIn(folder)
      const stored = [...inbox.after(0)].map(row => row.seq)
      await inbox.close()
      if (!answered.every(seq => stored.includes(seq))) t.fail(`n=${n}: answered ${answered}, stored ${stored}`)
      if (new Set(stored).size !== stored.length) t.fail(`n=${n}: stored twice: ${stored}`)
    }
    t.ok(runs > 40, `${runs} runs`)
  })
}

t.test('a full disk is said once, and once when it is over', async t => {
  const fault: Fault = { left: Infinity, lasting: true, met: false }
  const { inbox, said } = inboxIn(t.testdir(), { open: faulty(fault) })
  await inbox.offer(envelope(1))
  fault.left = 0
  for (const seq of [2, 2, 2]) await t.rejects(inbox.offer(envelope(seq)), /cannot commit/)
  fault.left = Infinity
  t.same(await inbox.offer(envelope(2)), { stream: 'spool00001.metrics.1', watermark: 2 })
  await inbox.close()
  t.equal(said.length, 2, said.join('\n'))
  t.match(said[0], /cannot commit .*full/)
  t.match(said[1], /works again/)
  t.equal(inbox.stats().failed_commits, 3)
})
