// Who may import whom (docs/design.md): reads the import lines and fails on a breach.

import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const may: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  judge: ['judge', 'core'],
  agent: ['agent', 'judge', 'core'],
  gateway: ['gateway', 'agent', 'judge', 'core'],
  collector: ['collector', 'judge', 'core'],
}
/** Judgement is pure: of core it sees data, words of configuration and nothing that does I/O. */
const judgeSees = /^core\/(model|shape|errors|time-zone)\.ts$/

function imports(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)
  return [...found].map(m => m[1]!).map(to => (to.startsWith('.') ? join(dirname(file), to) : to))
}

const files = globSync('{core,judge,agent,gateway,collector}/**/*.{ts,tsx}')

t.test('no file imports from a folder it may not know', async t => {
  t.ok(files.length > 20)
  for (const file of files) {
    const room = file.split('/')[0]!
    const strangers = imports(file).filter(to => /^(\w+)\//.test(to) && Object.keys(may).includes(to.split('/')[0]!))
    t.strictSame(
      strangers.filter(to => !may[room]!.includes(to.split('/')[0]!)),
      [],
      file,
    )
  }
})

t.test('judgement imports no I/O, no clock and no package', async t => {
  for (const file of files.filter(f => f.startsWith('judge/'))) {
    const breaches = imports(file).filter(to => !to.startsWith('judge/') && !judgeSees.test(to))
    t.strictSame(breaches, [], file)
    t.notMatch(readFileSync(file, 'utf8'), /Date\.now|new Date\(\)|performance\.|Math\.random/, file)
  }
})

t.test('sources import core and their own codec, never another source, the spool or an uplink', async t => {
  for (const file of files.filter(f => /\/sources\//.test(f) && !f.endsWith('/index.ts'))) {
    t.strictSame(
      imports(file).filter(to => /\/uplinks\/|agent\/(spool|edge|pump|uplink)/.test(to)),
      [],
      file,
    )
  }
})

t.test('an edge without detectors loads none of them, and a collector is no part of it', async t => {
  const seen = new Set<string>()
  const walk = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(file, 'utf8')
    for (const [, to] of text.matchAll(/^(?:import|export) (?!type )[^'()]*from '(\.[^']+)'/gm))
      walk(join(dirname(file), to!))
  }
  for (const file of ['agent/main.ts', 'gateway/main.ts', 'agent/config.ts', 'gateway/config.ts']) walk(file)
  t.ok(seen.size > 100)
  t.strictSame(
    [...seen].filter(file => /^judge\/(detect\/|index)|^agent\/judging|^collector/.test(file)),
    [],
  )
})
