// What docs/disks.md says is what the weights were measured to do.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { unpack } from '../../../judge/disks/model.ts'
import { counts, smartIds } from '../../../judge/disks/reading.ts'
import { weights } from '../../../judge/disks/weights.ts'

const text = readFileSync('docs/disks.md', 'utf8')

t.test('the figures of the committed model', async t => {
  const { about } = unpack(weights)
  for (const key of ['auc', 'ap', 'recall_at_fpr_0_1', 'recall_at_fpr_0_5', 'recall_at_fpr_1'])
    t.ok(text.includes(Number(about[key]).toFixed(3)), `${key} ${about[key]}`)
})

t.test('every count that is read', async t => {
  for (const name of counts) t.match(text, new RegExp(`\\b${smartIds[name]}\\b`), name)
})
