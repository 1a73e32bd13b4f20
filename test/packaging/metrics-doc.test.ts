import { readFileSync } from 'node:fs'
import t from 'tap'
import { sources } from '../../agent/sources/index.ts'
import { metricsDoc } from '../../packaging/metrics-doc.ts'

t.test('docs/metrics.md is what the sources declare', async t => {
  t.equal(readFileSync('docs/metrics.md', 'utf8'), metricsDoc(), 'npm run docs makes it anew')
})

t.test('a metric of two sources has one unit and one kind', async t => {
  const known = new Map<string, string>()
  for (const { name, unit, kind } of sources.flatMap(s => s.metrics ?? [])) {
    t.equal(known.get(name) ?? `${kind} ${unit}`, `${kind} ${unit}`, name)
    known.set(name, `${kind} ${unit}`)
  }
})
