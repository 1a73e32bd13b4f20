// One line that keeps itself current on a terminal; where there is none, a line every ten seconds.

import { setTimeout as delay } from 'node:timers/promises'
import { print } from '../command.ts'
import { texts } from '../texts.ts'
import type { Scene } from './scene.ts'

const quietInterval = 10

/** Resolves when the signal aborts. */
export async function ticker(scene: Scene, signal: AbortSignal): Promise<void> {
  const terminal = process.stdout.isTTY
  let before = total(scene)
  for (let second = 1; !signal.aborted; second++) {
    await delay(1000, undefined, { signal }).catch(() => undefined)
    const now = total(scene)
    if (terminal) process.stdout.write(`\r\x1b[2K${line(scene, now - before)}`)
    else if (second % quietInterval === 0) print(line(scene, now - before))
    before = now
  }
  if (terminal) process.stdout.write('\n')
}

function total({ edges }: Scene): number {
  return edges.reduce((sum, { edge }) => sum + edge.stats().samples, 0)
}

function line({ edges, collector, faultToIncident }: Scene, perSecond: number): string {
  const { samples, p99Ms, openFindings, openIncidents } = collector.view.vitals()
  const spooled = edges.reduce((sum, { spool }) => sum + spool.stats().envelopes, 0)
  const { said } = texts(process.env)
  const p99 = p99Ms === undefined ? '-' : `${Math.round(p99Ms)} ms`
  return said.demoLine(perSecond, spooled, samples, p99, openFindings, openIncidents, faultToIncident())
}
