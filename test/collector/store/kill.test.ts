import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { openHistory } from '../../../collector/store/history.ts'
import { seeded } from '../../random.ts'

const hour = 3_600_000
const say = () => {}

/** Starts the writer on the folder and kills it some time after its n-th fold; returns the last cursor it reported. */
async function runAndKill(folder: string, folds: number, delay: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill-writer.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let reported = 0
  let seen = 0
  child.stdout.on('data', (bytes: Buffer) => {
    for (const line of bytes.toString().trim().split('\n')) reported = Math.max(reported, Number(line))
    seen++
    if (seen === folds) setTimeout(() => child.kill('SIGKILL'), delay)
  })
  await once(child, 'exit')
  return reported
}

t.test('killed at random moments, the history holds exactly what its cursor says', async t => {
  const dice = seeded(t)
  const folder = t.testdir()
  for (let round = 0; round < 6; round++) {
    const reported = await runAndKill(folder, 1 + dice.below(4), dice.below(30))
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
