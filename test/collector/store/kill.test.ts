import { join } from 'node:path'
import t from 'tap'
import { openHistory } from '../../../collector/store/history.ts'
import { seeded } from '../../random.ts'
import { runAndKill } from './run-and-kill.ts'

const hour = 3_600_000
const writer = join(import.meta.dirname, 'kill-writer.ts')
const say = () => {}

t.test('killed at random moments, the history holds exactly what its cursor says', async t => {
  const dice = seeded(t)
  const folder = t.testdir()
  for (let round = 0; round < 6; round++) {
    const reported = await runAndKill(writer, folder, 1 + dice.below(4), dice.below(30))
    const history = openHistory({ folder, say, now: () => 10 * hour })
    t.ok(history.cursor >= reported, `cursor ${history.cursor}, reported ${reported}`)
    const noted = history.db.prepare('SELECT coalesce(max(cursor), 0) FROM note').pluck().get()
    t.equal(noted, history.cursor, 'what was written within the fold belongs to it')
    for (const ref of history.find({})) {
      const values = [...history.range(ref, 0, 10 * hour).values]
      t.same(
        values,
        values.map((_, n) => n),
        'each sample once, none missing',
      )
      t.equal(values.length, history.cursor, 'up to the cursor')
      t.equal(ref.count, history.cursor)
    }
    history.close()
  }
})
