// The whole agent over recorded machines for one minute: what arrives at a backend is what the golden files say, line for
// line, each once. Changed on purpose, they are written anew by
//   FIELDLINE_GOLDEN=write node test/run.ts test/agent/golden.test.ts

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { agentConfig, type EdgeConfig } from '../../agent/config.ts'
import { startEdge } from '../../agent/main.ts'
import { sources } from '../../agent/sources/index.ts'
import { uplinks } from '../../agent/uplinks/index.ts'
import { type UsualSource, usualSources } from '../../agent/usual-sources.ts'
import type { Host } from '../../core/host.ts'
import { Place } from '../../core/shape.ts'
import { until } from '../brokers.ts'
import { farEnd } from './golden/far-end.ts'
import { firstCases, optionsOf, together } from './golden/one-host.ts'
import { openStage } from './golden/stage.ts'
import { differences, textOf } from './golden/text.ts'
import { later, machine } from './source-contract.ts'

const folder = import.meta.dirname
const command = 'FIELDLINE_GOLDEN=write node test/run.ts test/agent/golden.test.ts'
const archive = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'host/procfs-fixtures.tar.gz')

/** All read at one moment, and again a minute later. */
const usual = usualSources('1m')
const start = Date.UTC(2025, 0, 1)
const pause = 10_000

t.test('the whole agent over the fixtures of all sources sends what the golden file says', async t => {
  const { root, one, state } = folders(t)
  const cases = firstCases(sources, join(folder, 'sources'))
  together(cases, one)
  const own = [...cases].map(([type, from]) => ({ ...usual.find(u => u.type === type), type, ...optionsOf(from) }))
  const rest = usual.filter(({ type }) => !cases.has(type))
  await agrees(t, 'fixtures', { root, one, state, chosen: [...own, ...rest] })
})

t.test('the whole agent over the recorded machine of prometheus/procfs sends what the golden file says', async t => {
  if (!existsSync(archive)) return void t.plan(0, `${archive} is missing: set FIELDLINE_DATA to the folder that has it`)
  const { root, one, state } = folders(t)
  const { status, stderr } = spawnSync('tar', ['xzf', archive, '--strip-components=2', '-C', root], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
  await agrees(t, 'procfs', { root, one, state, chosen: usual })
})

interface Run {
  readonly root: string
  /** A case folder of the source contract. */
  readonly one: string
  readonly state: string
  readonly chosen: readonly UsualSource[]
}

function folders(t: Test): Pick<Run, 'root' | 'one' | 'state'> {
  const top = t.testdir({ root: {}, case: {}, state: {} })
  return { root: join(top, 'root'), one: join(top, 'case'), state: join(top, 'state') }
}

async function agrees(t: Test, name: string, run: Run): Promise<void> {
  const file = join(folder, 'golden', `${name}.txt`)
  const made = await aMinute(t, run)
  if (process.env.FIELDLINE_GOLDEN === 'write') writeFileSync(file, made)
  t.strictSame(differences(readFileSync(file, 'utf8'), made), [], `if this is meant: ${command}`)
}

/** What arrives of a minute of the agent, as text. */
async function aMinute(t: Test, { root, one, state, chosen }: Run): Promise<string> {
  const far = await farEnd(t)
  const { host } = machine(t, one, root)
  const { pass, watched, ...clock } = openStage(start - pause)
  const said: string[] = []
  const stop = new AbortController()
  const running = await startEdge(
    configOf(t, state, far.url, chosen),
    sources.map(watched),
    (severity, message) => void said.push(`${severity} ${message}`),
    stop.signal,
    { host: Object.assign(host, clock, { stream: goingOn(host.stream) }) },
  )
  t.teardown(() => stop.abort())
  for (let n = 0; n < 6; n++) await pass(pause)
  later(one, root, host)
  await pass(pause)
  stop.abort()
  await running.edge.flushed()
  await until('all has arrived', () => running.spool.stats().envelopes === 0)
  await running.stop()
  const { samples, events } = running.edge.stats()
  t.strictSame(
    [far.samples.length, far.events.length],
    [samples, events],
    'as many arrive as sources were told are safe',
  )
  const arrivals = Map.groupBy(far.samples, ({ time, series }) => `${time} ${series}`)
  const twice = [...arrivals].filter(([, { length }]) => length > 1).map(([key]) => key)
  t.strictSame(twice, [], 'each series once at a time')
  return textOf(far, said, root)
}

/** Programs that follow something end when told. */
function goingOn(stream: Host['stream']): Host['stream'] {
  return (command, args, signal) => {
    const said = stream(command, args, signal)
    return (
      said &&
      (async function* () {
        yield* said
        if (!signal.aborted) await once(signal, 'abort')
      })()
    )
  }
}

function configOf(t: Test, state: string, url: string, chosen: readonly UsualSource[]): EdgeConfig {
  const place = new Place()
  const raw = {
    daemon: 'agent',
    node: 'golden',
    state,
    sources: chosen,
    uplinks: [{ type: 'otlp', url, compression: 'none', fieldline: false }],
    metrics: 'off',
  }
  const config = agentConfig(sources, uplinks).read(raw, place)
  t.strictSame(place.problems, [])
  return config
}
