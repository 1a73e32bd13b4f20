// How well chronyd keeps the clock, and by whom: `chronyc -c`, one process for all three reports. Names are those of the
// chrony receiver of the OpenTelemetry collector; frequencies are ratios, not parts per million. Not the command protocol
// itself: its version changes with the daemon's, chronyc knows them all, and Node has no Unix datagram sockets.

import { troubles } from '../../core/log.ts'
import type { Event, Observation, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { parseChrony, type TimeSource, type Tracking } from '../chrony/report.ts'
import { type Metric, metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
}

const command = 'chronyc'
const args = ['-c', '-n', '-m', 'tracking', 'sources', 'sourcestats']
const [trackingOrigin, sourcesOrigin] = ['chronyc -c tracking', 'chronyc -c sources']
const limits = { timeout: 5000, maxBytes: 256 * 1024 }
/** It starts a program, and chronyd itself measures no more often than once in a minute or so. */
const askedEvery = 10_000
/** Where no chronyd answers: on a machine without CPU to spare the start of a program holds up all sources, for up to seconds. */
const askedInVainEvery = 60_000
const mostSources = 64
const ppm = 1e-6

const tracking = (name: string, unit: string, brief: string): Metric =>
  metric(name, unit, 'gauge', [], trackingOrigin, brief)

/** Columns 4 to 12 of tracking, and what a number there is multiplied by. */
const trackingMetrics = [
  {
    of: tracking(
      'ntp.time.correction',
      's',
      'to be added to the clock to have the true time: positive where it is slow',
    ),
    unit: 1,
  },
  { of: tracking('ntp.time.last_offset', 's', 'estimated at the last update of the clock'), unit: 1 },
  { of: tracking('ntp.time.rms_offset', 's', 'average of the offsets over a long time'), unit: 1 },
  {
    of: tracking('ntp.frequency.offset', '1', 'by how much the clock would run too fast if it were not corrected'),
    unit: ppm,
  },
  {
    of: tracking('ntp.frequency.residual', '1', 'what the last measurements differ from the frequency in use'),
    unit: ppm,
  },
  { of: tracking('ntp.skew', '1', 'how uncertain the frequency is'), unit: ppm },
  { of: tracking('ntp.time.root_delay', 's', 'network delay to the reference clock, of all hops together'), unit: 1 },
  { of: tracking('ntp.time.root_dispersion', 's', 'error collected on the way to the reference clock'), unit: 1 },
  { of: tracking('ntp.update.interval', 's', 'between the last two updates of the clock'), unit: 1 },
] as const

const stratum = tracking('ntp.stratum', '1', 'hops to a reference clock, itself 1')
const synchronized = tracking('ntp.synchronized', '1', '1 where chronyd follows somebody')

const age = tracking('ntp.reference.age', 's', 'since the clock was last updated: it grows while nobody answers')

const about = ['server.address', 'ntp.source.mode']
const ofSource = (name: string, unit: string, brief: string): Metric =>
  metric(name, unit, 'gauge', about, sourcesOrigin, brief)
const perSource = {
  selected: ofSource('ntp.source.selected', '1', '1 for the one that is followed'),
  reachability: ofSource('ntp.source.reachability', '1', 'share of the last eight polls that were answered'),
  stratum: ofSource('ntp.source.stratum', '1', 'hops of this one to its reference clock'),
  age: ofSource('ntp.source.age', 's', 'since its last answer'),
  offset: ofSource(
    'ntp.source.offset',
    's',
    'clock minus this source at the last answer: positive where the clock is fast',
  ),
  error: ofSource('ntp.source.error', 's', 'by how much the offset may be wrong'),
  deviation: metric(
    'ntp.source.deviation',
    's',
    'gauge',
    about,
    'chronyc -c sourcestats',
    'standard deviation of its measurements',
  ),
}

const reference = {
  name: 'ntp.reference',
  attributes: ['server.address'],
  origin: trackingOrigin,
  brief: 'another source is followed',
}
const sync = {
  name: 'ntp.synchronization',
  attributes: [],
  origin: trackingOrigin,
  brief: 'chronyd follows somebody again, or nobody any more',
}
const leap = {
  name: 'ntp.leap',
  attributes: [],
  origin: trackingOrigin,
  brief: 'a leap second is announced for the end of the day',
}

export const chrony: Source<Options> = {
  name: 'chrony',
  options: object({ interval }),
  metrics: [...trackingMetrics.map(m => m.of), stratum, synchronized, age, ...Object.values(perSource)],
  events: [reference, sync, leap],
  open(options, at) {
    const series = openSeries()
    const trouble = troubles(at.say)
    let before: Known | undefined
    let saved: string | undefined
    let askedAt = Number.NEGATIVE_INFINITY
    let pause = askedEvery

    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      if (Math.abs(time - askedAt) < pause) return { samples: [], events: [] }
      askedAt = time
      const answer = await at.host.run(command, args, { ...limits, signal })
      const told = answer && parseChrony(answer)
      pause = told === undefined ? askedInVainEvery : askedEvery
      if (told === undefined) return { samples: [], events: [] }
      const many =
        told.sources.length > mostSources
          ? `${told.sources.length} sources, the first ${mostSources} are told`
          : undefined
      trouble(`source ${at.name}`, many)
      const sources = told.sources.slice(0, mostSources)
      if (before === undefined) {
        saved = at.keep.load()
        before = remembered(saved)
      }
      const past = before
      before = told.tracking
      const samples = [...series.tracking(told.tracking, time), ...series.sources(sources, time)]
      return { samples, events: past === undefined ? [] : changes(past, told.tracking, time) }
    }
    /** What changes while no agent runs is told when one does. */
    const committed = (): void => {
      if (before === undefined) return
      const { reference, synchronized, leap } = before
      const text = JSON.stringify({ reference, synchronized, leap })
      if (text !== saved) at.keep.save(text)
      saved = text
    }
    return polled({ ...at, interval: options.interval, read, committed })
  },
}

type Known = Pick<Tracking, 'reference' | 'synchronized' | 'leap'>

/** What was saved by another version, or is damaged, is as good as nothing. */
function remembered(text: string | undefined): Known | undefined {
  try {
    const told = JSON.parse(text ?? 'null') as Known | null
    return typeof told?.synchronized === 'boolean' ? told : undefined
  } catch {
    return undefined
  }
}

function changes(before: Known, now: Tracking, time: number): Event[] {
  const events: Event[] = []
  if (before.synchronized !== now.synchronized) {
    const severity = now.synchronized ? 'info' : 'error'
    events.push({
      name: sync.name,
      time,
      severity,
      body: { synchronized: now.synchronized, leap: now.leap },
      attributes: {},
    })
  }
  if (now.reference !== undefined && before.reference !== undefined && before.reference !== now.reference) {
    const body = { from: before.reference, to: now.reference, stratum: now.stratum }
    events.push({ name: reference.name, time, severity: 'info', body, attributes: { 'server.address': now.reference } })
  }
  if (before.leap !== now.leap && /second/.test(now.leap)) {
    events.push({ name: leap.name, time, severity: 'warning', body: { leap: now.leap }, attributes: {} })
  }
  return events
}

function openSeries() {
  const own = {
    values: trackingMetrics.map(m => m.of.of()),
    stratum: stratum.of(),
    synchronized: synchronized.of(),
    age: age.of(),
  }
  type OfSource = { readonly [name in keyof typeof perSource]: Series }
  let known = new Map<string, OfSource>()

  const seriesOf = ({ address, mode }: TimeSource): OfSource => {
    const attributes = { 'server.address': address, 'ntp.source.mode': mode }
    return Object.fromEntries(Object.entries(perSource).map(([name, of]) => [name, of.of(attributes)])) as OfSource
  }

  return {
    /** Without anybody to follow the daemon's numbers are placeholders. */
    tracking({ synchronized, stratum, updated, values }: Tracking, time: number): Sample[] {
      const sync = { series: own.synchronized, time, value: synchronized ? 1 : 0 }
      if (!synchronized) return [sync]
      // A clock that was put back since has no age.
      const since = time / 1000 - updated
      return [
        sync,
        { series: own.stratum, time, value: stratum },
        ...(since >= 0 ? [{ series: own.age, time, value: since }] : []),
        ...own.values.map((series, n) => ({ series, time, value: values[n]! * trackingMetrics[n]!.unit })),
      ]
    },
    sources(sources: readonly TimeSource[], time: number): Sample[] {
      const key = ({ mode, address }: TimeSource): string => `${mode} ${address}`
      known = new Map(sources.map(one => [key(one), known.get(key(one)) ?? seriesOf(one)]))
      return sources.flatMap(one => samplesOf(one, known.get(key(one))!, time))
    },
  }
}

function samplesOf(
  one: TimeSource,
  series: { readonly [name in keyof typeof perSource]: Series },
  time: number,
): Sample[] {
  const samples = [
    { series: series.selected, time, value: one.state === '*' ? 1 : 0 },
    { series: series.reachability, time, value: ones(one.reach) / 8 },
  ]
  // What never answered has a stratum and an offset of 0 that nobody measured.
  if (one.age === undefined) return samples
  samples.push({ series: series.stratum, time, value: one.stratum })
  samples.push({ series: series.age, time, value: one.age })
  samples.push({ series: series.offset, time, value: one.offset })
  samples.push({ series: series.error, time, value: one.error })
  if (one.deviation !== undefined) samples.push({ series: series.deviation, time, value: one.deviation })
  return samples
}

function ones(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length
}
