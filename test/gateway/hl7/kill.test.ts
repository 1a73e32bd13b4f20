// A gateway that is killed again and again in the midst of 10,000 messages, from senders that obey its acknowledgements.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { History } from '../../../collector/store/history.ts'
import { Sender } from '../../../gateway/hl7/client.ts'
import { aedes, freePort } from '../../brokers.ts'
import { peer } from '../../peers.ts'
import { startRoadCollector } from '../../road/road.ts'

const [senders, each] = [5, 2000]
/** As many accepted messages lie between two kills, of the senders that are ours. */
const between = 800

const message = (sender: string, n: number, time: number): Buffer =>
  Buffer.from(`MSH|^~\\&|${sender}|ICU|GW|HOME|${time}||ORU^R01^ORU_R01|${n}|P|2.6\rOBX|1|NM|x||${n}\r`)

t.test('after many kills each of 10,000 messages is at the collector exactly once', { timeout: 240_000 }, async t => {
  const python = peer(t, 'python-hl7')
  if (python === undefined) return
  const folder = t.testdir()
  const broker = await aedes(t)
  const collector = await startRoadCollector(t, { folder: join(folder, 'collector'), brokers: [broker.url] })
  const port = await freePort()
  const gateway = new Gateway(t, await bundled(folder), [folder, broker.url, `${port}`])
  const start = Date.now() - 3_600_000
  let accepted = 0
  const ours = Array.from({ length: senders - 1 }, async (_, s) => {
    const sender = new Sender({ host: '127.0.0.1', port, tls: undefined, timeout: 10_000, tries: 1000 })
    t.teardown(() => sender.close())
    for (let n = 0; n < each; n++) {
      const sent = await sender.send(message(`bed-${s}`, n, start + n * 10), new AbortController().signal)
      if (!sent.accepted) throw new Error(`${sent.code} ${sent.trouble}`)
      if (++accepted % between === 0 && accepted < ours.length * each) gateway.kill()
    }
  })
  const args = [
    new URL('python-sender.py', import.meta.url).pathname,
    '127.0.0.1',
    `${port}`,
    'bed-python',
    `${each}`,
    `${start}`,
  ]
  const other = spawn(python, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  t.teardown(() => other.kill('SIGKILL'))
  const [[code]] = await Promise.all([once(other, 'exit'), ...ours])
  t.equal(code, 0)
  t.ok(gateway.kills >= 8, `${gateway.kills} kills`)
  t.equal(await gateway.finish(), 0)
  await collector.stop()
  const all = stored(join(folder, 'collector'))
  t.equal(all.length, senders)
  for (const values of all) t.strictSame([values.length, new Set(values).size], [each, each], 'each once')
})

/** Of each sender the values in history. */
function stored(folder: string): number[][] {
  const history = new History({ folder, say: () => undefined, now: Date.now })
  const refs = history.find({ node: 'ward', name: 'witness' })
  const values = refs.map(ref => [...history.range(ref, 0, Number.MAX_SAFE_INTEGER).values])
  history.close()
  return values
}

/** It starts in a third of the time when our own code is one file. */
async function bundled(folder: string): Promise<string> {
  const outfile = join(folder, 'gateway-child.mjs')
  const entry = new URL('gateway-child.ts', import.meta.url).pathname
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' })
  return outfile
}

/** Started again whenever it was killed. */
class Gateway {
  kills = 0
  readonly #program: string
  readonly #args: readonly string[]
  #child: ChildProcess
  #ended = false

  constructor(t: Test, program: string, args: readonly string[]) {
    this.#program = program
    this.#args = args
    this.#child = this.#start()
    t.teardown(() => {
      this.#ended = true
      this.#child.kill('SIGKILL')
    })
  }

  #start(): ChildProcess {
    const child = fork(this.#program, this.#args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.on('exit', () => {
      if (!this.#ended) this.#child = this.#start()
    })
    return child
  }

  /** Lets what is in its spool arrive. */
  async finish(): Promise<number> {
    this.#ended = true
    this.#child.send('finish')
    const [code] = await once(this.#child, 'exit')
    return code
  }

  kill(): void {
    this.kills++
    this.#child.kill('SIGKILL')
  }
}
