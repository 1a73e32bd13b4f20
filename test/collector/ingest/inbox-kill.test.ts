import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { seeded } from '../../random.ts'
import { inboxIn } from './envelopes.ts'

const child = join(import.meta.dirname, 'inbox-child.ts')

t.test('whenever it is killed, every row that was answered for is there once', async t => {
  const random = seeded(t)
  const folder = t.testdir()
  const answered = new Map<string, number>()
  let highest = 0
  for (let kill = 0; kill < 8; kill++) {
    for (const [lane, watermark] of await runUntilKilled(folder, highest + 1, 1 + random.below(400))) {
      answered.set(lane, watermark)
    }
    const { inbox } = inboxIn(folder)
    const stored = new Set([...inbox.after(0)].map(row => `${row.stream}:${row.seq}`))
    const ids = [...inbox.after(0)].map(row => row.id)
    highest = Math.max(...[...inbox.after(0)].map(row => row.seq))
    await inbox.close()
    t.equal(stored.size, ids.length, 'nothing twice')
    for (const [lane, watermark] of answered) t.ok(stored.has(`s.metrics.${lane}:${watermark}`), `${lane} ${watermark}`)
  }
})

/** The last watermark of each lane that the child had been told before it was killed, after `lines` answers. */
async function runUntilKilled(folder: string, from: number, lines: number): Promise<Map<string, number>> {
  const running = spawn(process.execPath, [child, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (out.split('\n').length > lines) running.kill('SIGKILL')
  })
  await once(running, 'close')
  const whole = out.slice(0, out.lastIndexOf('\n')).split('\n')
  return new Map(whole.map(line => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}
