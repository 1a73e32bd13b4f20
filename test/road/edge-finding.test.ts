// A finding of an agent that is a process of its own, found while the collector is away and the agent is killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Metric, parseMetrics } from '../../cli/metrics-text.ts'
import { freePort } from '../../core/free-port.ts'
import { aedes } from '../brokers.ts'
import { fieldline } from '../cli/command.ts'
import { eventually, type RoadCollector, startRoadCollector } from './road.ts'

const program = new URL('../../fieldline.ts', import.meta.url).pathname

interface Agent {
  readonly child: ChildProcess
  readonly said: string[]
}

function startAgent(t: Test, file: string): Agent {
  const child = spawn(process.execPath, [program, 'agent', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  createInterface({ input: child.stderr! }).on('line', line => said.push(line))
  return { child, said }
}

/** In place and of the same length: the agent holds the file open. */
function setLoad(root: string, value: string): void {
  const fd = openSync(`${root}/proc/loadavg`, 'r+')
  writeSync(fd, value, 0)
  closeSync(fd)
}

function loads(collector: RoadCollector): { time: number; value: number }[] {
  const { history } = collector.running
  return history.find({ node: 'press-1', name: 'system.cpu.load_average.1m' }).flatMap(ref => {
    const { times, values } = history.range(ref, 0, 8e15)
    return [...times].map((time, n) => ({ time, value: values[n]! }))
  })
}

function remembers(state: string, word: RegExp): boolean {
  try {
    return word.test(readFileSync(`${state}/detectors.json`, 'utf8'))
  } catch {
    return false
  }
}

/** What it shows, as soon as it listens. */
async function shown(url: string): Promise<readonly Metric[]> {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer !== undefined) return parseMetrics(await answer.text())
    await delay(20)
  }
}

t.test('found and over while the collector was away, over a SIGKILL: there once, with its own times', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const [root, state, file] = [`${folder}/root`, `${folder}/state`, `${folder}/agent.yaml`]
  mkdirSync(`${root}/proc`, { recursive: true })
  writeFileSync(`${root}/proc/loadavg`, '0.10 1.23 0.70 2/252 22830\n')
  const detectors = [{ type: 'threshold', name: 'busy', metric: 'system.cpu.load_average.1m', above: 5 }]
  const uplinks = [{ type: 'mqtt', brokers: [broker.url] }]
  const sources = [{ type: 'load', interval: '100ms' }]
  const metrics = `127.0.0.1:${await freePort()}`
  const config = { daemon: 'agent', node: 'press-1', state, root, metrics, sources, uplinks, detectors }
  writeFileSync(file, JSON.stringify(config))
  const at = { folder: `${folder}/collector`, brokers: [broker.url] }
  const before = await startRoadCollector(t, at)
  const first = startAgent(t, file)
  await eventually('data flows', () => loads(before).length > 5)
  await before.stop()

  setLoad(root, '9.00')
  await eventually('the agent has remembered what it found', () => remembers(state, /"finding"/))
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  t.match(first.said.join('\n'), /warning finding busy: system\.cpu\.load_average\.1m is 9, above 5/)

  const second = startAgent(t, file)
  const open = (await shown(`http://${metrics}/metrics`)).find(({ name }) => name === 'fieldline_findings_open')
  t.match(open?.values, [{ labels: 'rule="busy"', value: 1 }], 'as soon as it can be asked')
  t.match((await fieldline(['status', '--config', file])).out, /findings open \(rule=busy\) +1/)
  setLoad(root, '0.20')
  await eventually('it is over', () => second.said.some(line => /finding busy ended/.test(line)))
  t.notMatch(second.said.join('\n'), /finding busy:/, 'it is not found again')

  const after = await startRoadCollector(t, at)
  await eventually('the finding is there', () => after.findings('press-1').some(f => f.until !== undefined))
  const [finding] = after.findings('press-1')
  const has = (time: number): boolean => loads(after).some(sample => sample.time === time)
  await eventually('so are the values', () => has(finding!.since) && has(finding!.until!))
  const values = loads(after)
  const since = values.find(({ value }) => value === 9)!.time
  const until = values.find(({ value }) => value === 0.2)!.time
  t.match(after.findings('press-1'), [{ rule: 'edge:busy', kind: 'threshold', since, until, severity: 'warning' }])
  t.equal(after.findings('press-1').length, 1)
  const told = after.events('press-1', 'fieldline.finding').map(({ body }) => (body as { state: string }).state)
  t.strictSame(told.sort(), ['closed', 'opened'])
  second.child.kill('SIGTERM')
  await once(second.child, 'exit')
})
