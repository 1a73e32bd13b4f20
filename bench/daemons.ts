// The daemons as they are shipped, started by a bench, and asked what has arrived.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { usualSources } from '../agent/usual-sources.ts'

export interface Ports {
  readonly broker: number
  readonly page: number
}

/** `command`: what runs the `fieldline` of this start. */
export function start(
  command: readonly [string, ...string[]],
  daemon: 'agent' | 'collector',
  name: string,
  folder: string,
  config: string,
): ChildProcess {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, config)
  const [program, ...args] = command
  return spawn(program, [...args, daemon, '--config', file], { stdio: ['ignore', 'inherit', 'inherit'] })
}

export function collectorConfig(folder: string, ports: Ports): string {
  return [
    'daemon: collector',
    `state: ${join(folder, 'collector')}`,
    `listen: 127.0.0.1:${ports.page}`,
    `broker: { listen: "127.0.0.1:${ports.broker}" }`,
    'limits: { samples_per_second: 10000000, series: 1000000 }',
    '',
  ].join('\n')
}

/** Every source that goes without options. */
export function agentConfig(folder: string, node: string, seconds: number, ports: Ports): string {
  return [
    'daemon: agent',
    `node: ${node}`,
    `state: ${join(folder, node)}`,
    'metrics: off',
    'sources:',
    ...usualSources(`${seconds}s`).map(source => `  - ${JSON.stringify(source)}`),
    'uplinks:',
    `  - { type: mqtt, brokers: ["mqtt://127.0.0.1:${ports.broker}"] }`,
    '',
  ].join('\n')
}

/** Resolves when the collector answers. */
export async function collecting({ page }: Ports): Promise<void> {
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${page}/healthz`)
      return
    } catch {
      await delay(50)
    }
  }
}

/** Samples of a node that the collector has committed; the agents themselves are not asked, because nobody need ask them. */
export async function samplesOf(node: string, { page }: Ports): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${page}/api/nodes/${node}`)
  return answer.ok ? ((await answer.json()) as { samples: number }).samples : 0
}
