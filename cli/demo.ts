// `npm start`: the whole road on one machine. A broker and a collector with its page, an agent on this real host, and a
// gateway that polls a PLC, which is simulated and says so. Ends by itself after --for, or drains on Ctrl-C; either way
// it counts in history what its sources were told is safe.

import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { leave } from '../core/leave.ts'
import { parseDuration } from '../core/shape.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { account } from './demo/account.ts'
import { ticker } from './demo/line.ts'
import { type Scene, startScene } from './demo/scene.ts'
import { texts } from './texts.ts'

/** Sources fall silent, then what is under way may arrive; Ctrl-C is answered in under 3 s, ms. */
const arrival = 1000

export const demo: Command = {
  async run(args) {
    const { values } = readArguments(args, { for: { type: 'string' }, state: { type: 'string' } })
    const stop = stopSignal(values.for)
    const scene = await startScene(resolve(values.state ?? '.fieldline/demo'), stop)
    const { said } = texts(process.env)
    for (const note of scene.notes) print(note)
    print(said.demoPage(scene.collector.url))
    await ticker(scene, stop)
    return finish(scene)
  },
}

async function finish(scene: Scene): Promise<number> {
  const { said } = texts(process.env)
  await Promise.all([scene.agent.stop(), scene.gateway.stop()])
  const sum = await arrived(scene)
  await scene.stop()
  print(said.demoSummary(sum.read, sum.committed, sum.lost, sum.duplicated))
  print(JSON.stringify(sum))
  return sum.lost === 0 && sum.duplicated === 0 ? status.ok : status.failed
}

/** What was committed may still have to be folded. */
async function arrived(scene: Scene): Promise<ReturnType<typeof account>> {
  const deadline = performance.now() + arrival
  let sum = account(scene)
  while (sum.lost > 0 && performance.now() < deadline) {
    await delay(50)
    sum = account(scene)
  }
  return sum
}

/** Aborts after the time, or at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(time: string | undefined): AbortSignal {
  const ms = time === undefined ? undefined : parseDuration(time)
  if (time !== undefined && ms === undefined) throw new Usage(`--for ${time}: expected a duration such as 30s`)
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => (controller.signal.aborted ? leave(130) : controller.abort()))
  }
  if (ms !== undefined) setTimeout(() => controller.abort(), ms)
  return controller.signal
}
