// PTP: what ptp4l answers to its management client, else what it and phc2sys say in their log; and the clocks of the
// hardware. pmc needs a socket that this user may write to (`uds_ro_address`, /run/ptp4lro, is for everybody) and to bind
// its own in /run: an agent without privileges mostly has the log. What a hardware clock shows cannot be read without
// /dev/ptpN and an ioctl: its offset is known by phc2sys alone.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Event, Observation, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { openJournal } from '../kernel-log/journal.ts'
import type { Log } from '../kernel-log/line.ts'
import { type Metric, metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { type PtpLine, parsePtpLine } from '../ptp/log.ts'
import { type PtpStatus, parsePmc, questions } from '../ptp/pmc.ts'
import { Scan } from '../scan.ts'
import type { Source, Surroundings } from '../source.ts'

interface Options {
  readonly interval: number
}

/** Of ptp4l, the one open to everybody first. */
const sockets = ['ptp4lro', 'ptp4l']
const limits = { timeout: 5000, maxBytes: 256 * 1024 }
const matches = ['-n', '20', '_COMM=ptp4l', '+', '_COMM=phc2sys']
/** Lines a reading; of each clock the last one counts. */
const mostLines = 1000
const mostClocks = 32

const [pmcOrigin, logOrigin, clocksFolder] = ['pmc', 'journalctl', '/sys/class/ptp']
const own = {
  offset: metric('ptp.offset', 's', 'gauge', [], pmcOrigin, 'clock minus master, by ptp4l'),
  rms: metric('ptp.offset.rms', 's', 'gauge', [], logOrigin, 'of the offsets ptp4l summed up in its last message'),
  max: metric('ptp.offset.max', 's', 'gauge', [], logOrigin, 'the largest of these, without its sign'),
  delay: metric('ptp.path_delay', 's', 'gauge', [], pmcOrigin, 'mean delay to the master'),
  adjustment: metric(
    'ptp.frequency.adjustment',
    '1',
    'gauge',
    [],
    logOrigin,
    'by how much ptp4l makes the clock run faster',
  ),
}
const disciplined = ['ptp.clock.name']
const others: { readonly [name in keyof typeof own]: Metric } = {
  offset: metric('ptp.clock.offset', 's', 'gauge', disciplined, logOrigin, 'of a clock that phc2sys sets by another'),
  rms: metric(
    'ptp.clock.offset.rms',
    's',
    'gauge',
    disciplined,
    logOrigin,
    'of the offsets phc2sys summed up in its last message',
  ),
  max: metric('ptp.clock.offset.max', 's', 'gauge', disciplined, logOrigin, 'the largest of these, without its sign'),
  delay: metric('ptp.clock.delay', 's', 'gauge', disciplined, logOrigin, 'how long phc2sys took to read both clocks'),
  adjustment: metric(
    'ptp.clock.frequency.adjustment',
    '1',
    'gauge',
    disciplined,
    logOrigin,
    'by how much phc2sys makes it run faster',
  ),
}
const steps = metric(
  'ptp.steps_removed',
  '1',
  'gauge',
  [],
  pmcOrigin,
  'boundary clocks and one on the way from the grandmaster',
)
const present = metric(
  'ptp.grandmaster.present',
  '1',
  'gauge',
  [],
  pmcOrigin,
  '1 where there is a grandmaster elsewhere',
)
const state = metric(
  'ptp.port.state',
  '1',
  'gauge',
  ['ptp.port.number', 'ptp.port.state'],
  pmcOrigin,
  '1 for the state a port is in',
)
const limit = metric(
  'ptp.hardware_clock.adjustment.limit',
  '1',
  'gauge',
  ['hw.id', 'ptp.clock.name'],
  '/sys/class/ptp/*/max_adjustment',
  'the largest change of frequency a hardware clock can make',
)

const grandmaster = {
  name: 'ptp.grandmaster',
  attributes: [],
  origin: pmcOrigin,
  brief: 'another grandmaster, or none any more',
}
const port = {
  name: 'ptp.port',
  attributes: ['ptp.port.number'],
  origin: pmcOrigin,
  brief: 'a port is in another state',
}

export const ptp: Source<Options> = {
  name: 'ptp',
  options: object({ interval }),
  metrics: [...Object.values(own), ...Object.values(others), steps, present, state, limit],
  events: [grandmaster, port],
  open(options, at) {
    const hardware = openHardware(at.host)
    const management = openManagement(at.host)
    const log = openPtpLog(at)

    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      const clocks = hardware(time)
      const socket = socketOf(at.host)
      if (socket === undefined) return { samples: clocks, events: [] }
      const asked = await management.read(socket, time, signal)
      const said = await log.read(time, signal, asked !== undefined)
      return { samples: [...clocks, ...(asked?.samples ?? []), ...said], events: asked?.events ?? [] }
    }
    return polled({ ...at, interval: options.interval, read, close: log.close })
  },
}

/** Where ptp4l listens; undefined where it does not run. */
function socketOf(host: Host): string | undefined {
  const there = host.list('/run')
  const name = sockets.find(one => there.includes(one))
  return name && `/run/${name}`
}

/** By clock, made once; of `disciplined` none is the clock of ptp4l. */
function openClocks() {
  const known = new Map<string | undefined, { readonly [name in keyof typeof own]: Series }>()
  const seriesOf = (clock: string | undefined) => {
    const made = known.get(clock)
    if (made !== undefined || known.size > mostClocks) return made
    const of = (name: keyof typeof own): Series =>
      clock === undefined ? own[name].of() : others[name].of({ 'ptp.clock.name': clock })
    const series = {
      offset: of('offset'),
      rms: of('rms'),
      max: of('max'),
      delay: of('delay'),
      adjustment: of('adjustment'),
    }
    known.set(clock, series)
    return series
  }
  return ({ clock, ...values }: PtpLine, time: number): Sample[] => {
    const series = seriesOf(clock)
    if (series === undefined) return []
    return Object.entries(values).map(([name, value]) => ({ series: series[name as keyof typeof own], time, value }))
  }
}

function openManagement(host: Host) {
  const series = { offset: own.offset.of(), delay: own.delay.of(), steps: steps.of(), present: present.of() }
  const states = new Map<string, Series>()
  let before: PtpStatus | undefined

  const stateOf = (number: number, word: string): Series => {
    const key = `${number} ${word}`
    const made = states.get(key) ?? state.of({ 'ptp.port.number': number, 'ptp.port.state': word })
    states.set(key, made)
    return made
  }

  const samplesOf = (
    { offset, pathDelay, stepsRemoved, grandmasterPresent, ports }: PtpStatus,
    time: number,
  ): Sample[] => {
    const found = [
      { series: series.offset, time, value: offset },
      { series: series.delay, time, value: pathDelay },
      { series: series.steps, time, value: stepsRemoved },
      {
        series: series.present,
        time,
        value: grandmasterPresent === undefined ? undefined : Number(grandmasterPresent),
      },
      ...ports.map(one => ({ series: stateOf(one.port, one.state), time, value: 1 })),
    ]
    return found.filter((s): s is Sample => s.value !== undefined)
  }

  /** Undefined where it does not answer us. */
  const read = async (socket: string, time: number, signal: AbortSignal): Promise<Observation | undefined> => {
    const answer = await host.run('pmc', ['-u', '-b', '0', '-s', socket, ...questions], { ...limits, signal })
    const status = answer?.status === 0 ? parsePmc(answer.stdout) : undefined
    if (status === undefined) return undefined
    const past = before
    before = status
    return { samples: samplesOf(status, time), events: past === undefined ? [] : changes(past, status, time) }
  }
  return { read }
}

function changes(before: PtpStatus, now: PtpStatus, time: number): Event[] {
  const events: Event[] = []
  if (before.grandmaster !== now.grandmaster) {
    const body = { from: before.grandmaster ?? '', to: now.grandmaster ?? '' }
    events.push({
      name: grandmaster.name,
      time,
      severity: now.grandmaster === undefined ? 'error' : 'warning',
      body,
      attributes: {},
    })
  }
  for (const { port: number, state } of now.ports) {
    const past = before.ports.find(p => p.port === number)?.state
    if (past === undefined || past === state) continue
    const severity = /FAULTY|DISABLED/.test(state) ? 'error' : past === 'SLAVE' ? 'warning' : 'info'
    events.push({
      name: port.name,
      time,
      severity,
      body: { from: past, to: state },
      attributes: { 'ptp.port.number': number },
    })
  }
  return events
}

/** The last words of each clock since the reading before. */
function openPtpLog({ host, say, name }: Surroundings) {
  const trouble = troubles(say)
  const samplesOf = openClocks()
  let log: Log | undefined

  const close = (): void => {
    log?.close()
    log = undefined
  }

  /** `asked`: what ptp4l says of itself is known already. */
  const read = async (time: number, signal: AbortSignal, asked: boolean): Promise<Sample[]> => {
    log ??= openJournal(host, matches, signal, what => trouble(`source ${name}`, what))
    try {
      const entries = (await log?.read(mostLines, signal)) ?? []
      trouble(`source ${name}: log`, undefined)
      const lines = new Map<string | undefined, PtpLine>()
      for (const { line } of entries) {
        const told = parsePtpLine(line.text)
        if (told !== undefined && (told.clock !== undefined || !asked)) lines.set(told.clock, told)
      }
      return [...lines.values()].flatMap(told => samplesOf(told, time))
    } catch (error) {
      // What ptp4l answers, and the hardware, do not depend on it.
      close()
      trouble(`source ${name}: log`, reason(error))
      return []
    }
  }
  return { read, close }
}

function openHardware(host: Host) {
  const known = new Map<string, Series>()
  const file = (id: string, what: string): string => `${clocksFolder}/${id}/${what}`

  /** Parsed before the next file is read into the same buffer. */
  const read = <T>(name: string, parse: (name: string, bytes: Buffer) => T): T | undefined => {
    const bytes = host.read(name)
    return bytes && parse(name, bytes)
  }

  return (time: number): Sample[] =>
    host.list(clocksFolder).flatMap(id => {
      const name = read(file(id, 'clock_name'), parseClockName)
      const most = read(file(id, 'max_adjustment'), (name, bytes) => new Scan(name, bytes).integer() / 1e9)
      if (name === undefined || most === undefined) return []
      const series = known.get(id) ?? limit.of({ 'hw.id': id, 'ptp.clock.name': name })
      known.set(id, series)
      return [{ series, time, value: most }]
    })
}

function parseClockName(file: string, bytes: Buffer): string {
  const name = /^([!-~][ -~]{0,63})\n$/.exec(bytes.toString('latin1'))?.[1]
  if (name === undefined) throw new Error(`${file}: not a name: ${JSON.stringify(bytes.toString('latin1', 0, 40))}`)
  return name
}
