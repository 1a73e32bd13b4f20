import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { labelOf, rig, seeded, seedOf, takeAll } from './rig.ts'

const seed = seedOf()
t.comment(`FIELDLINE_SEED=${seed}`)
const kills = 20

interface Told {
  readonly safe?: readonly number[]
  readonly delivered?: readonly number[]
}

t.test(`killed ${kills} times in the middle of puts, every put that had resolved is there`, async t => {
  const random = seeded(seed)
  const folder = t.testdir()
  const safe = new Set<number>()
  const delivered = new Set<number>()
  const where = new Map<string, string>()
  for (let kill = 0; kill < kills; kill++) {
    const child = fork(join(import.meta.dirname, 'crash-child.ts'), [folder, `${kill * 1_000_000}`])
    child.on('message', (told: Told) => {
      for (const n of told.safe ?? []) safe.add(n)
      for (const n of told.delivered ?? []) delivered.add(n)
    })
    const exit = once(child, 'exit')
    await once(child, 'message')
    await delay(random() * 40)
    child.kill('SIGKILL')
    t.match(await exit, [null, 'SIGKILL'])

    const r = rig(folder)
    const spool = await r.open()
    const waiting = takeAll(spool)
    const labels = waiting.map(labelOf)
    t.equal(new Set(labels).size, labels.length, 'none twice')
    const there = new Set(labels.map(Number))
    const lost = [...safe].filter(n => !there.has(n) && !delivered.has(n))
    t.strictSame(lost, [], `kill ${kill}: ${safe.size} safe, ${delivered.size} delivered, ${waiting.length} wait`)
    for (const envelope of waiting) {
      const key = `${envelope.stream} ${envelope.seq}`
      if ((where.get(key) ?? labelOf(envelope)) !== labelOf(envelope)) t.fail(`${key} changed`)
      where.set(key, labelOf(envelope))
    }
    t.strictSame(r.said, [], 'a kill damages nothing')
    await spool.close()
  }
  t.ok(safe.size > kills * 3)
})

t.test('the lock dies with its process, and while it lives its pid is named', async t => {
  const folder = t.testdir()
  const child = fork(join(import.meta.dirname, 'crash-child.ts'), [folder, '0'])
  await once(child, 'message')
  await t.rejects(rig(folder).open(), { message: new RegExp(`in use by process ${child.pid}$`) })
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
  await (await rig(folder).open()).close()
})
