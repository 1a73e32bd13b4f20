// A gateway that is killed again and again at the worst moments, while a server counts: between spool and acknowledgement,
// between reading and spool, and in the midst of history. FIELDLINE_KILLS=N raises the number of rounds.

import { join } from 'node:path'
import t from 'tap'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { aedes } from '../../brokers.ts'
import { startRoadCollector } from '../../road/road.ts'
import { bundled, Gateway, stored } from '../killed.ts'
import type { Halt } from './gateway-child.ts'

const rounds = Number(process.env.FIELDLINE_KILLS ?? 3)
/** Not what the node holds before it counts. */
const first = 1000

t.test('after many kills each value is at the collector exactly once', { timeout: 240_000 }, async t => {
  const folder = t.testdir()
  const sim = await simulator()
  t.teardown(() => sim.close())
  const broker = await aedes(t)
  const collector = await startRoadCollector(t, { folder: join(folder, 'collector'), brokers: [broker.url] })
  const program = await bundled(new URL('gateway-child.ts', import.meta.url), folder)
  const child = new Child()
  const gateway = new Gateway(t, program, [folder, broker.url, sim.url], message => child.hear(message))
  await child.next('kept')

  let last = first - 1
  const started = Date.now() - 60_000
  const count = (n: number): void => {
    for (; n > 0; n--) sim.set('Tank.Level', ++last, new Date(started + last))
  }
  const timer = setInterval(count, 5, 1)
  t.teardown(() => clearInterval(timer))
  const killAt = async (when: Halt['when'], least = 1): Promise<void> => {
    if (least === 1) await child.next('kept')
    gateway.send({ when, least } satisfies Halt)
    await child.next('halted')
    gateway.kill()
  }
  for (let n = 0; n < rounds; n++) {
    // The server still has the subscription, and sends again what was not acknowledged.
    await killAt('after')
    await killAt('before')
  }
  clearInterval(timer)
  count(1)
  while (child.kept.size < last - first + 1) await child.next('kept')
  t.equal(await gateway.finish(), 0)
  await collector.stop()
  const [values] = stored(join(folder, 'collector'), 'line', 'level')
  const told = values!.filter(value => value >= first)
  t.strictSame(
    told,
    Array.from({ length: last - first + 1 }, (_, n) => first + n),
  )
})

/** What the gateway says, whichever of its processes. */
class Child {
  /** What is in its spool of what was counted. */
  readonly kept = new Set<number>()
  readonly #waiting = new Map<string, () => void>()

  hear(message: unknown): void {
    const what = Array.isArray(message) ? 'kept' : 'halted'
    if (Array.isArray(message)) for (const value of message as number[]) if (value >= first) this.kept.add(value)
    this.#waiting.get(what)?.()
    this.#waiting.delete(what)
  }

  /** Resolves when it is said from now on. */
  next(what: 'kept' | 'halted'): Promise<void> {
    return new Promise(resolve => this.#waiting.set(what, resolve))
  }
}
