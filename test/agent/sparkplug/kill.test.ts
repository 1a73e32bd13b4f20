import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { mosquitto, until } from '../../brokers.ts'
import { HostApplication } from './host-application.ts'

const script = new URL('child.ts', import.meta.url).pathname

interface Edge {
  readonly child: ChildProcess
  /** The last value that is safe in its spool. */
  readonly safe: () => number
}

function start(t: Test, folder: string, url: string, from: number): Edge {
  const child = fork(script, [folder, url, String(from)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  let safe = from - 1
  child.on('message', value => {
    safe = Number(value)
  })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, safe: () => safe }
}

async function kill({ child }: Edge): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

t.test('killed and started again: the broker tells its death, the next number is used, nothing is lost', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const host = new HostApplication(broker.url)
  await host.connect(t)
  await host.say(true)
  const folder = t.testdir()
  const told = (): Set<unknown> => new Set(host.values('press-3/count'))
  let next = 0
  for (let n = 0; n < 3; n++) {
    const edge = start(t, folder, broker.url, next)
    await until('values are told', () => told().has(next + 20), 30_000)
    // The primary host goes while values are under way, and comes back.
    await host.say(false)
    await until('the death is heard', () => host.verbs.filter(v => v === 'NDEATH').length > 2 * n)
    const kept = edge.safe() + 20
    await until('more are kept meanwhile', () => edge.safe() > kept)
    await host.say(true)
    await until('they follow', () => told().has(kept), 30_000)
    await kill(edge)
    next = edge.safe() + 1
  }
  const last = start(t, folder, broker.url, next)
  const all = (): number[] => Array.from({ length: next }, (_, n) => n).filter(value => !told().has(value))
  await until('all that were safe are told', () => all().length === 0, 30_000)
  await kill(last)
  const births = host.bdSeqs('NBIRTH').map(Number)
  t.comment(`bdSeq ${births.join(' ')}`)
  const steps = births.slice(1).map((n, i) => n - births[i]!)
  // A session that ended before its birth used a number, too.
  t.ok(
    steps.every(step => step >= 0 && step <= 2),
    'the numbers never go back',
  )
  t.ok(new Set(births).size >= 6, 'each session has its own')
  t.strictSame(host.faults, [])
})
