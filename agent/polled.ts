// Makes a source of a plain function that reads: called at each tick, measured, and never the reason why the daemon stops.
// Beside what it reads a source tells of itself: how long the reading took, whether it worked, what was lost or skipped.

import { reason } from '../core/errors.ts'
import type { Observation, Sample, Series, SeriesKind } from '../core/model.ts'
import { duration, optional } from '../core/shape.ts'
import { metronome } from './metronome.ts'
import { openOutbox } from './outbox.ts'
import type { Emit, Running, Surroundings } from './source.ts'

/** The option every polled source has. */
export const interval = optional(duration(100, 86_400_000), 10_000)

export interface Polled extends Omit<Surroundings, 'keep'> {
  /** Milliseconds between readings. */
  readonly interval: number
  /**
   * One reading, its samples dated `time` (ms since the epoch). A throw means that nothing was read: it is counted and said,
   * and the next tick tries again. Must end soon after the signal aborts.
   */
  read(time: number, signal: AbortSignal): Observation | Promise<Observation>
  /** Called when all that was read so far is durable in the spool. */
  committed?(): void
  /** Gives back what reading holds open; a later `read` takes it again. */
  close?(): void
}

export function polled(source: Polled): Running {
  return {
    run: (emit, signal) => poll(source, emit, signal),
    once: async signal => {
      try {
        return await source.read(source.host.now(), signal)
      } finally {
        source.close?.()
      }
    },
  }
}

async function poll(source: Polled, emit: Emit, signal: AbortSignal): Promise<void> {
  const ticks = metronome(source.host, source.interval)
  const outbox = openOutbox(source.name, emit, source.say)
  const read = measured(source)
  try {
    for (let tick = await ticks.next(signal); tick !== undefined; tick = await ticks.next(signal)) {
      const told = await read(tick.time, tick.skipped, outbox.lost, signal)
      if (told !== undefined && (await outbox.hand(told))) source.committed?.()
    }
    await outbox.close()
  } finally {
    source.close?.()
  }
}

function measured(source: Polled) {
  const { name, host, say } = source
  const own = (what: string, unit: string, kind: SeriesKind): Series => ({
    name: `fieldline.source.${what}`,
    unit,
    kind,
    attributes: { source: name },
  })
  const took = own('duration', 's', 'gauge')
  const success = own('success', '1', 'gauge')
  const lostSamples = own('lost', '{sample}', 'counter')
  const skippedReadings = own('skipped', '{reading}', 'counter')
  let failing = false
  let skippedSoFar = 0

  const attempt = async (time: number, signal: AbortSignal): Promise<Observation | undefined> => {
    try {
      const observation = await source.read(time, signal)
      if (failing) say('info', `source ${name}: works again`, { source: name })
      failing = false
      return observation
    } catch (error) {
      // Told to stop in the midst of it: no failure.
      if (signal.aborted) return undefined
      if (!failing) say('error', `source ${name}: ${reason(error)}`, { source: name })
      failing = true
      return undefined
    }
  }

  return async (time: number, skipped: number, lost: number, signal: AbortSignal) => {
    skippedSoFar += skipped
    const began = host.monotonic()
    const read = await attempt(time, signal)
    if (read === undefined && signal.aborted) return undefined
    const samples: Sample[] = [
      ...(read?.samples ?? []),
      { series: took, time, value: (host.monotonic() - began) / 1000 },
      { series: success, time, value: read === undefined ? 0 : 1 },
    ]
    if (lost > 0) samples.push({ series: lostSamples, time, value: lost })
    if (skippedSoFar > 0) samples.push({ series: skippedReadings, time, value: skippedSoFar })
    const { distributions } = read ?? {}
    return { samples, ...(distributions && { distributions }), events: read?.events ?? [] }
  }
}
