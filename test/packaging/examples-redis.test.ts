// The Redis example against the real thing: redis-server and prometheus-redis-exporter of Debian.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../agent/keep.ts'
import type { PrometheusOptions } from '../../agent/prometheus/options.ts'
import { prometheus } from '../../agent/sources/prometheus.ts'
import { checked } from '../../cli/check.ts'
import { agentShape } from '../../cli/daemons.ts'
import { freePort } from '../../core/free-port.ts'
import type { Observation } from '../../core/model.ts'
import { fakeHost } from '../agent/fake-host.ts'
import { peer } from '../peers.ts'

const example = new URL('../../packaging/config/examples/redis/agent.yaml', import.meta.url).pathname

function start(t: Test, program: string, args: readonly string[]): () => Promise<void> {
  const child = spawn(program, args, { stdio: 'ignore' })
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.teardown(end)
  return end
}

/** Sends inline commands and waits for as many answers. */
async function redis(socket: string, ...commands: readonly string[]): Promise<void> {
  const client = connect(socket)
  client.write(commands.map(command => `${command}\r\n`).join(''))
  let lines = 0
  for await (const piece of client as AsyncIterable<Buffer>) {
    lines += piece.toString().split('\r\n').length - 1
    if (lines >= commands.length) break
  }
}

async function until(what: string, attempt: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await attempt().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`)
    await delay(20)
  }
}

t.test('what the example derives comes from a real Redis, and its end shows', async t => {
  const [server, exporter] = [peer(t, 'redis'), peer(t, 'redisExporter')]
  if (server === undefined || exporter === undefined) return
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const socket = join(folder, 'redis.sock')
  const kill = start(t, server, [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--dir',
    folder,
    '--maxmemory',
    '500mb',
    '--save',
    '',
  ])
  const address = `127.0.0.1:${await freePort()}`
  start(t, exporter, ['-redis.addr', `unix://${socket}`, '-web.listen-address', address])
  const url = `http://${address}/metrics`
  await until('redis answers', () => redis(socket, 'SET a 1').then(() => true))
  await until('the exporter answers', () => fetch(url).then(answer => answer.ok))

  const { config } = await checked(example)
  const options = config.check(await agentShape()).sources[0]!.options as PrometheusOptions
  const said: string[] = []
  const say = (_: string, message: string): void => void said.push(message)
  const at = { name: 'redis', host: fakeHost(folder), say, keep: memoryKeep() }
  const running = prometheus.open({ ...options, targets: [{ ...options.targets[0]!, url }] }, at)
  const made: Observation[] = []
  const stop = new AbortController()
  await running.run(async observation => {
    made.push(observation)
    if (made.length === 1) await redis(socket, 'GET a', 'GET a', 'GET a', 'GET none')
    else if (made.length === 2) await kill()
    else stop.abort()
  }, stop.signal)

  const value = (n: number, name: string) => made[n]!.samples.find(s => s.series.name === name)?.value
  t.equal(value(0, 'redis_up'), 1)
  t.equal(value(0, 'redis.keyspace.hit_ratio'), undefined)
  t.equal(value(1, 'redis.keyspace.hit_ratio'), 0.75)
  t.ok(value(1, 'redis.memory.utilization')! > 0.001 && value(1, 'redis.memory.utilization')! < 0.1)
  t.equal(value(1, 'redis.memory.fragmentation'), undefined, 'of a few megabytes it means nothing')
  t.equal(value(2, 'redis_up'), 0)
  t.equal(value(2, 'up'), 1)
  t.strictSame(said, [])
})
