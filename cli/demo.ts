// `npm start`: the whole road on one machine. A broker and a collector with its page, and a gateway over devices, which are
// simulated and say so; without --scene also an agent on this real host. Ends by itself after --for, or drains on Ctrl-C; either way
// it counts in history what its sources were told is safe.

import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { leave } from '../core/leave.ts'
import { oneOf, parseDuration } from '../core/shape.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { account } from './demo/account.ts'
import { ticker } from './demo/line.ts'
import { narrate } from './demo/narrate.ts'
import { type Scene, startScene } from './demo/scene.ts'
import { type StageName, stages } from './demo/stages/index.ts'
import { texts } from './texts.ts'

/** What is under way when the time is over may so long arrive; Ctrl-C is answered in under 3 s, which the edges' own drain takes, ms. */
const patience = 20_000
/** What was committed may so long have to be folded, ms. */
const folding = 500

export const demo: Command = {
  async run(args) {
    const { values } = readArguments(args, {
      for: { type: 'string' },
      state: { type: 'string' },
      scene: { type: 'string' },
      fault: { type: 'boolean' },
    })
    const name = sceneName(values.scene)
    const fault = values.fault === true
    if (fault && name !== 'press') throw new Usage(texts(process.env).said.faultOfPress)
    const stop = stopSignal(values.for)
    const scene = await startScene(name, { folder: resolve(values.state ?? folderOf(name)), fault }, stop.signal)
    const { said } = texts(process.env)
    for (const note of scene.notes) print(note)
    print(said.demoPage(scene.collector.url))
    const silence = narrate(scene, stop.signal)
    await ticker(scene, stop.signal)
    silence()
    if (!stop.asked()) await drained(scene, stop.asked)
    return finish(scene)
  },
}

/** The scene without a name is the press. */
function sceneName(word: string | undefined): StageName {
  if (word === undefined) return 'press'
  const names = Object.keys(stages) as StageName[]
  const found = names.find(name => name === word)
  if (found !== undefined) return found
  throw new Usage(`--scene ${word}: ${oneOf(names).expects}`)
}

function folderOf(name: StageName): string {
  return name === 'press' ? '.fieldline/demo' : `.fieldline/${name}`
}

async function finish(scene: Scene): Promise<number> {
  const { said } = texts(process.env)
  await Promise.all(scene.edges.map(edge => edge.stop()))
  const sum = await arrived(scene)
  await scene.stop()
  print(said.demoSummary(sum))
  print(JSON.stringify(sum))
  return sum.lost === 0 && sum.duplicated === 0 ? status.ok : status.failed
}

/** Until all that was read has been committed. */
async function drained({ edges }: Scene, asked: () => boolean): Promise<void> {
  const deadline = performance.now() + patience
  await Promise.all(edges.map(({ edge }) => edge.flushed()))
  const waits = (): boolean => edges.some(({ spool }) => spool.stats().envelopes > 0)
  while (waits() && !asked() && performance.now() < deadline) await delay(20)
}

async function arrived(scene: Scene): Promise<ReturnType<typeof account>> {
  const deadline = performance.now() + folding
  let sum = account(scene)
  while (sum.lost > 0 && performance.now() < deadline) {
    await delay(50)
    sum = account(scene)
  }
  return sum
}

/** Aborts after the time, or at the first SIGINT or SIGTERM (then it is asked for); a second one ends the process at once. */
function stopSignal(time: string | undefined): { signal: AbortSignal; asked(): boolean } {
  const ms = time === undefined ? undefined : parseDuration(time)
  if (time !== undefined && ms === undefined) throw new Usage(`--for ${time}: expected a duration such as 30s`)
  const controller = new AbortController()
  let asked = false
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (asked) leave(130)
      asked = true
      controller.abort()
    })
  }
  if (ms !== undefined) setTimeout(() => controller.abort(), ms)
  return { signal: controller.signal, asked: () => asked }
}
