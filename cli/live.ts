// `fieldline test SOURCE --live`: what a source emits, until Ctrl-C. On a terminal a table that keeps itself current; where
// there is none, a line for each value and event.

import { setTimeout as delay } from 'node:timers/promises'
import type { Running } from '../agent/source.ts'
import { backoff } from '../core/backoff.ts'
import { reason } from '../core/errors.ts'
import { leave } from '../core/leave.ts'
import { log, type Say } from '../core/log.ts'
import type { Observation } from '../core/model.ts'
import { print, status } from './command.ts'
import { LiveTable } from './live-table.ts'
import { attributesText, eventText } from './observation-text.ts'
import { clipped } from './table.ts'
import type { Chosen } from './test.ts'

/** How often a terminal is drawn, ms. */
const refresh = 250

export async function live({ name }: Chosen, open: (say: Say) => Running, asJson: boolean): Promise<number> {
  const stop = untilCtrlC()
  if (process.stdout.isTTY && !asJson) await onTerminal(name, open, stop)
  else await asLines(name, open, asJson, stop)
  return status.ok
}

async function asLines(name: string, open: (say: Say) => Running, asJson: boolean, stop: AbortSignal): Promise<void> {
  const say = log()
  const shown = asJson ? (o: Observation) => print(JSON.stringify(o)) : printLines
  await keepRunning(name, open(say), say, async o => shown(o), stop)
}

function printLines({ samples, events }: Observation): void {
  for (const { series, time, value } of samples)
    print(`${new Date(time).toISOString()} ${series.name} ${attributesText(series.attributes)} ${value} ${series.unit}`)
  for (const event of events) print(`${new Date(event.time).toISOString()} ${eventText(event)}`)
}

async function onTerminal(name: string, open: (say: Say) => Running, stop: AbortSignal): Promise<void> {
  const table = new LiveTable()
  const draw = (): void => {
    // A terminal that does not know its size says 0.
    const { columns, rows } = process.stdout
    const lines = table.text(Date.now(), rows || 24).split('\n')
    // From the top left, each line to its end, and what is left of an earlier, longer table.
    const text = lines.map(line => `${clipped(line, columns || 80)}\x1b[K`).join('\n')
    process.stdout.write(`\x1b[H${text}\x1b[J`)
  }
  process.stdout.write('\x1b[?25l\x1b[2J')
  const timer = setInterval(draw, refresh)
  const say: Say = (_, message) => table.say(message)
  await keepRunning(name, open(say), say, async o => table.take(o, Date.now()), stop)
  clearInterval(timer)
  draw()
  process.stdout.write('\x1b[?25h\n')
}

/** As the edge does it: a source that fails is started again. */
async function keepRunning(
  name: string,
  running: Running,
  say: Say,
  take: (observation: Observation) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  const pause = backoff({ min: 1000, max: 10_000 })
  while (!stop.aborted) {
    try {
      await running.run(take, stop)
    } catch (error) {
      if (!stop.aborted) say('error', `source ${name} failed: ${reason(error)}`)
    }
    await delay(pause.next(), undefined, { signal: stop }).catch(() => undefined)
  }
}

/** A second Ctrl-C does not wait for the source. */
function untilCtrlC(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) leave(130)
      controller.abort()
    })
  }
  return controller.signal
}
