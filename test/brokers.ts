// Brokers that tests start for themselves: a real mosquitto with a generated configuration, and our embedded aedes.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { openBroker } from '../collector/broker.ts'
import { freePort } from '../core/free-port.ts'
import { peer } from './peers.ts'

export interface TestBroker {
  readonly url: string
  readonly port: number
  /** Ends it as a power cut would. */
  kill(): Promise<void>
}

export interface Mosquitto extends TestBroker {
  /** SIGSTOP: connections stay open and nothing answers. */
  hang(): void
  /** SIGCONT */
  wake(): void
}

/** Undefined after marking the test as skipped. `config` holds lines beside the listener. */
export async function mosquitto(
  t: Test,
  config: readonly string[] = [],
  port?: number,
): Promise<Mosquitto | undefined> {
  const program = peer(t, 'mosquitto')
  if (program === undefined) return undefined
  const own = port ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'mosquitto.conf')
  // Started by root it would become another user, who may not enter the folder of a test.
  const user = userInfo().username
  writeFileSync(file, [`user ${user}`, `listener ${own} 127.0.0.1`, 'allow_anonymous true', ...config, ''].join('\n'))
  const child = spawn(program, ['-c', file], { stdio: 'ignore' })
  t.teardown(() => end(child))
  await answering(own)
  return {
    url: `mqtt://127.0.0.1:${own}`,
    port: own,
    kill: () => end(child),
    hang: () => child.kill('SIGSTOP'),
    wake: () => child.kill('SIGCONT'),
  }
}

/** The embedded broker on a free port or a given one. */
export async function aedes(t: Test, port = 0): Promise<TestBroker> {
  const broker = await openBroker({ host: '127.0.0.1', port })
  let closed: Promise<void> | undefined
  const kill = (): Promise<void> => {
    closed ??= broker.close()
    return closed
  }
  t.teardown(kill)
  return { url: broker.url, port: Number(new URL(broker.url).port), kill }
}

/** Waits for a condition; throws after `within` ms, naming it. */
export async function until(what: string, condition: () => boolean, within = 10_000): Promise<void> {
  const deadline = performance.now() + within
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`after ${within} ms still not: ${what}`)
    await delay(5)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function answering(port: number): Promise<void> {
  const deadline = performance.now() + 5000
  while (!(await canConnect(port))) {
    if (performance.now() > deadline) throw new Error(`no broker on port ${port}`)
    await delay(10)
  }
}

/** Whether anybody listens on this port of loopback. */
export async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
