import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { fileKeep } from '../../../agent/keep.ts'
import { OrderMemory } from '../../../agent/orders/memory.ts'
import type { Order } from '../../../core/model.ts'
import { order } from './given.ts'

const child = new URL('kill-child.ts', import.meta.url).pathname

function edge(folder: string, order: Order, mode = ''): { signal: string | null; notes: string[] } {
  const { signal } = spawnSync(process.execPath, [child, folder, JSON.stringify(order), mode], { stdio: 'inherit' })
  return { signal, notes: readFileSync(`${folder}/notes`, 'utf8').trim().split('\n') }
}

t.test('an order in the midst of which the edge is killed is told as unknown, and never done again', t => {
  const folder = t.testdir()
  // What was issued before the memory began is not begun at all.
  new OrderMemory(fileKeep(`${folder}/orders.json`), Date.now() - 1000)
  const one = order('a', { issued: Date.now(), expires: Date.now() + 60_000 })
  t.strictSame(edge(folder, one, 'hang'), { signal: 'SIGKILL', notes: ['begun'] })
  const { notes } = edge(folder, one)
  t.strictSame(notes.slice(0, 2), ['begun', 'told unknown'])
  t.equal(notes.filter(note => note === 'begun').length, 1)
  const other = edge(folder, order('b', { issued: Date.now(), expires: Date.now() + 60_000 }))
  t.strictSame(other.notes.slice(-2), ['begun', 'told done'])
  t.end()
})
