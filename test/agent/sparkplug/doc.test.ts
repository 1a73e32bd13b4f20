// docs/sparkplug.md names a test for each clause: all of them must be there.

import { readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const doc = readFileSync(new URL('../docs/sparkplug.md', root), 'utf8')

/** The cells of all rows of four, or three, columns. */
function rows(columns: number): string[][] {
  const lines = doc.split('\n').filter(line => /^\| `?[a-z]/.test(line) && !line.startsWith('| clause'))
  return lines.map(line => line.slice(2, -2).split(' | ')).filter(cells => cells.length === columns)
}

const clauses = rows(4)
const listed = rows(3).filter(cells => cells[2]!.endsWith('.test.ts`'))
const tests = new Map(
  listed.map(([key = '', name = '', file = '']) => [key, { name, file: file.slice(1, -1) }] as const),
)

/** What is not ours to keep has no test. */
const others = /^(for (hosts|whoever configures) to see to|nothing stands against it)/

t.test('every clause is there once, with a test that is listed', async t => {
  const ids = clauses.map(([id]) => id!)
  t.equal(new Set(ids).size, ids.length)
  t.ok(ids.length > 180)
  for (const [id, , how, named] of clauses) {
    t.match(id, /^`[a-zA-Z0-9-]+`$/)
    if (named === 'none') t.match(how, others, String(id))
    else for (const key of named!.split(', ')) t.ok(tests.has(key), `${id}: ${key}`)
  }
})

t.test('every listed test is in its file under that name, and some clause needs it', async t => {
  const needed = new Set(clauses.flatMap(cells => cells[3]!.split(', ')))
  for (const [key, { name, file }] of tests) {
    const text = readFileSync(new URL(file, root), 'utf8')
    t.ok(text.includes(`'${name}'`), `${file}: ${name}`)
    t.ok(needed.has(key), key)
  }
})
