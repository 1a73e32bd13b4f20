// Appends, folds and compacts until it is killed; the n-th sample of each series is n, the cursor is their number.

import { openHistory } from '../../../collector/store/history.ts'

const hour = 3_600_000
const history = openHistory({ folder: process.argv[2]!, say: () => {}, now: () => 10 * hour })
history.db.exec('CREATE TABLE IF NOT EXISTS note (cursor INTEGER)')
const refs = [0, 1, 2].map(n => history.ref('n1', { name: `m${n}`, unit: '1', kind: 'gauge', attributes: {} }))
for (let next = history.cursor; ; ) {
  for (const end = next + 100; next < end; next++) for (const ref of refs) history.append(ref, next * 20, next)
  history.fold(next, db => db.prepare('INSERT INTO note VALUES (?)').run(next))
  process.stdout.write(`${next}\n`)
  history.compact(500)
}
