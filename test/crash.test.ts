import t from 'tap'
import { crash } from './crash/run.ts'
import { seeded } from './random.ts'

t.test(
  'what a source was told is safe is in history exactly once, whoever was killed',
  { timeout: 300_000 },
  async t => {
    const random = seeded(t)
    const result = await crash({ folder: t.testdir(), kills: 200, random, progress: n => t.comment(`${n} kills`) })
    t.comment(JSON.stringify(result))
    t.equal(result.kills, 200)
    // How many depends on the machine; some lie between any two kills.
    t.ok(result.told > result.kills, `${result.told} samples were told to be safe`)
    t.equal(result.lost, 0)
    t.equal(result.duplicated, 0)
    t.strictSame(result.errors, [])
  },
)
