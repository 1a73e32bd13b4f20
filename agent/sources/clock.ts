// The clock of the machine itself, without asking a daemon: steps of it, the counter it runs on, and whether the kernel
// holds it for synchronized. NTP slews CLOCK_MONOTONIC and CLOCK_REALTIME alike, so that they part only by a step, or while
// the machine sleeps, which CLOCK_BOOTTIME (/proc/uptime) counts and CLOCK_MONOTONIC does not. What adjtimex(2) knows beside
// (frequency, estimated and maximal error) cannot be had: Node has no such call; the chrony and ptp sources have its like.

import type { Host, HostFile } from '../../core/host.ts'
import type { Event, Observation, Sample } from '../../core/model.ts'
import { duration, object, optional } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
  /** What counts as a step, ms. */
  readonly step: number
}

const uptimePath = '/proc/uptime'
const clocksourcePath = '/sys/devices/system/clocksource/clocksource0/current_clocksource'
/** D-Bus starts a program to answer it. */
const synchronizedEvery = 60_000
const commandTimeout = 5000
/** /proc/uptime counts in 10 ms, and is read at another moment; so much more elapsed is sleep. */
const leastSleep = 1000
/** Two readings further apart than this, ms, tell nothing of each other: the process stood still between them. */
const closest = 2

const steps = metric(
  'system.clock.steps',
  '{step}',
  'counter',
  [],
  'CLOCK_REALTIME against CLOCK_MONOTONIC',
  'times the wall clock was set since the agent started',
)
const source = metric(
  'system.clock.source',
  '1',
  'gauge',
  ['clock.source'],
  clocksourcePath,
  '1 for the counter that the kernel keeps time by',
)
const synchronized = metric(
  'system.clock.synchronized',
  '1',
  'gauge',
  [],
  'timedatectl show',
  '1 where the kernel holds its clock for synchronized, whoever does it',
)

const stepped = {
  name: 'system.clock.step',
  attributes: [],
  origin: 'CLOCK_REALTIME',
  brief: 'the wall clock was set: by how many seconds',
}
const slept = {
  name: 'system.clock.sleep',
  attributes: [],
  origin: uptimePath,
  brief: 'the machine slept: how many seconds',
}
const changed = {
  name: 'system.clock.source_changed',
  attributes: ['clock.source'],
  origin: clocksourcePath,
  brief: 'the kernel keeps time by another counter; it no longer trusts the one before',
}
const sync = {
  name: 'system.clock.synchronization',
  attributes: [],
  origin: 'timedatectl show',
  brief: 'the clock is synchronized again, or no longer',
}

export const clock: Source<Options> = {
  name: 'clock',
  options: object({ interval, step: optional(duration(5, 86_400_000), 20) }),
  metrics: [steps, source, synchronized],
  events: [stepped, slept, changed, sync],
  open(options, at) {
    const watch = openWatch(at.host, options.step)
    const counter = openCounter(at.host)
    const kernel = openKernel(at.host)

    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      const parts = [watch.read(time), counter.read(time), await kernel.read(time, signal)]
      return { samples: parts.flatMap(p => p.samples), events: parts.flatMap(p => p.events) }
    }
    const close = (): void => {
      watch.close()
      counter.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

interface Moment {
  readonly wall: number
  readonly monotonic: number
  /** Since the boot, sleep included; undefined where the kernel does not tell. */
  readonly uptime: number | undefined
}

function openWatch(host: Host, least: number) {
  const uptime = host.file(uptimePath)
  const series = steps.of()
  let before: Moment | undefined
  let count = 0

  const read = (time: number): Observation => {
    const now = momentOf(host, uptime)
    const past = before
    before = now ?? before
    if (now === undefined) return { samples: [], events: [] }
    const events = past === undefined ? [] : differences(past, now, time, least)
    count += events.filter(e => e.name === stepped.name).length
    return { samples: past === undefined ? [] : [{ series, time, value: count }], events }
  }
  return { read, close: () => uptime.close() }
}

/** All clocks at one moment; undefined when they cannot be read close to each other. */
function momentOf(host: Host, file: HostFile): Moment | undefined {
  const bytes = file.read()
  const uptime = bytes && new Scan(uptimePath, bytes).decimal() * 1000
  for (let attempt = 0; attempt < 5; attempt++) {
    const monotonic = host.monotonic()
    const wall = host.now()
    if (host.monotonic() - monotonic <= closest) return { wall, monotonic, uptime }
  }
  return undefined
}

function differences(before: Moment, now: Moment, time: number, least: number): Event[] {
  const elapsed = now.monotonic - before.monotonic
  const awake = now.uptime === undefined || before.uptime === undefined ? elapsed : now.uptime - before.uptime
  const asleep = awake - elapsed > leastSleep ? awake - elapsed : 0
  const step = now.wall - before.wall - elapsed - asleep
  const events: Event[] = []
  if (asleep > 0) {
    events.push({ name: slept.name, time, severity: 'info', body: { seconds: seconds(asleep) }, attributes: {} })
  }
  // How long it slept is known to 10 ms and more only.
  if (Math.abs(step) >= (asleep > 0 ? Math.max(least, leastSleep) : least)) {
    const body = {
      seconds: seconds(step),
      from: new Date(now.wall - step).toISOString(),
      to: new Date(now.wall).toISOString(),
    }
    events.push({
      name: stepped.name,
      time,
      severity: Math.abs(step) >= 1000 ? 'error' : 'warning',
      body,
      attributes: {},
    })
  }
  return events
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000
}

function openCounter(host: Host) {
  const file = host.file(clocksourcePath)
  let known: { readonly name: string; readonly sample: Omit<Sample, 'time'> } | undefined

  const read = (time: number): Observation => {
    const bytes = file.read()
    if (bytes === undefined) return { samples: [], events: [] }
    const name = parseClocksource(bytes)
    const before = known?.name
    if (before !== name) known = { name, sample: { series: source.of({ 'clock.source': name }), value: 1 } }
    const event: Event = {
      name: changed.name,
      time,
      severity: 'warning',
      body: { from: before ?? '', to: name },
      attributes: { 'clock.source': name },
    }
    return { samples: [{ ...known!.sample, time }], events: before === undefined || before === name ? [] : [event] }
  }
  return { read, close: () => file.close() }
}

/** @throws Error that names the file. */
export function parseClocksource(bytes: Buffer): string {
  const name = /^([A-Za-z][\w.-]{1,31})\n$/.exec(bytes.toString('latin1'))?.[1]
  if (name === undefined)
    throw new Error(`${clocksourcePath}: not a name: ${JSON.stringify(bytes.toString('latin1', 0, 40))}`)
  return name
}

function openKernel(host: Host) {
  const series = synchronized.of()
  let askedAt = Number.NEGATIVE_INFINITY
  let before: boolean | undefined

  const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
    if (Math.abs(time - askedAt) < synchronizedEvery) return { samples: [], events: [] }
    askedAt = time
    const answer = await host.run('timedatectl', ['show', '--property=NTPSynchronized'], {
      timeout: commandTimeout,
      signal,
    })
    // Without systemd it cannot tell, and says so with a status.
    if (answer === undefined || answer.status !== 0) return { samples: [], events: [] }
    const now = parseSynchronized(answer.stdout)
    const past = before
    before = now
    const event: Event = {
      name: sync.name,
      time,
      severity: now ? 'info' : 'warning',
      body: { synchronized: now },
      attributes: {},
    }
    return {
      samples: [{ series, time, value: now ? 1 : 0 }],
      events: past === undefined || past === now ? [] : [event],
    }
  }
  return { read }
}

/** @throws Error that names the command. */
export function parseSynchronized(stdout: Buffer): boolean {
  const word = /^NTPSynchronized=(yes|no)$/m.exec(stdout.toString('latin1'))?.[1]
  if (word === undefined)
    throw new Error(`timedatectl show: no NTPSynchronized: ${JSON.stringify(stdout.toString('latin1', 0, 40))}`)
  return word === 'yes'
}
