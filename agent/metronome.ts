// When a polled source reads. Ticks lie on multiples of the interval of wall time, so that all sources of a host, and all
// hosts, read at one moment and what they read travels as one commit. Waiting is by monotonic time: a clock that is
// stepped makes one gap of 0.5 to 1.5 intervals, never a stall or a spin. Ticks that passed meanwhile are not made up for.

import type { Host } from '../core/host.ts'

/** A reading begun within this of its tick, ms, is dated to the tick itself: equal times compress to nothing. */
const punctual = 20

export interface Tick {
  /** What the reading is dated to, ms since the epoch. */
  readonly time: number
  /** Ticks that passed unread since the one before, because reading or handing on took so long. */
  readonly skipped: number
}

export interface Metronome {
  /** Resolves at the next tick, or undefined once the signal aborts. */
  next(signal: AbortSignal): Promise<Tick | undefined>
}

export function metronome(host: Pick<Host, 'now' | 'monotonic' | 'sleep'>, interval: number): Metronome {
  let last = Number.NEGATIVE_INFINITY

  const next = async (signal: AbortSignal): Promise<Tick | undefined> => {
    await host.sleep(untilTick(host.now(), host.monotonic() - last, interval), signal)
    if (signal.aborted) return undefined
    const began = host.monotonic()
    // A step of the clock stretches a gap to at most 1.5 intervals, an unread tick to at least 2.
    const passed = last === Number.NEGATIVE_INFINITY ? 1 : Math.floor((began - last) / interval + 0.25)
    last = began
    return { time: dated(host.now(), interval), skipped: Math.max(0, passed - 1) }
  }

  return { next }
}

/** Timers may fire a little early: a tick less than half an interval after the last is the one just served. */
function untilTick(now: number, sinceLast: number, interval: number): number {
  const wait = interval - (now % interval)
  return sinceLast + wait < interval / 2 ? wait + interval : wait
}

function dated(now: number, interval: number): number {
  const tick = Math.round(now / interval) * interval
  return Math.abs(now - tick) <= punctual ? tick : now
}
