// The state of systemd and its units, by systemctl(1). A program started costs milliseconds of CPU, here and in systemd
// itself, so it is asked every 30 s, and sooner (but not within 5 s) when units came or went, which one listing of
// /run/systemd/units shows. Services are asked for in detail when their state changed, and those that systemd may start
// again by itself each time.

import type { Host } from '../../core/host.ts'
import type { Event, Observation, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'
import {
  parseManager,
  parseResults,
  parseServices,
  parseUnits,
  type Service,
  serviceProperties,
  type Unit,
} from '../systemd/answers.ts'
import { events, Follower } from '../systemd/follow.ts'

interface Options extends Patterns {
  readonly interval: number
}

/** ms */
const every = 30_000
const soonest = 5000
const limits = { timeout: 10_000, maxBytes: 4 * 1024 ** 2 }
/** How many services are asked for in detail, and how many restarts of how many services are looked up in the journal. */
const mostServices = 500
const mostLookedUp = 10

const list = 'systemctl list-units'
const show = 'systemctl show'
const unit = 'systemd.unit.name'

const unitCount = metric(
  'systemd.unit.count',
  '{unit}',
  'gauge',
  ['systemd.unit.type', 'systemd.unit.active_state'],
  list,
  'loaded units by type and state',
)
const unitState = metric(
  'systemd.unit.state',
  '1',
  'gauge',
  [unit, 'systemd.unit.active_state', 'systemd.unit.sub_state'],
  list,
  '1 for the state a unit is in, once 0 for the one it left; of failed units and those of `include`',
)
const unitAge = metric('systemd.unit.state.age', 's', 'gauge', [unit], show, 'time since the last change of state')
const restarts = metric(
  'systemd.unit.restarts',
  '{restart}',
  'counter',
  [unit],
  show,
  'times systemd started it again by itself',
)
const managerState = metric(
  'systemd.state',
  '1',
  'gauge',
  ['systemd.state'],
  show,
  '1 for the state of the whole system, such as running or degraded, once 0 for the one it left',
)
const jobs = metric('systemd.job.count', '{job}', 'gauge', [], show, 'jobs that wait or run')
const jobsSeries = jobs.of()

export const systemd: Source<Options> = {
  name: 'systemd',
  options: object({ interval, ...patterns }),
  metrics: [unitCount, unitState, unitAge, restarts, managerState, jobs],
  events,
  open(options, at) {
    const { host, keep, say } = at
    const isNamed = options.include === undefined ? () => false : chooser(options, [])
    const isIgnored = (name: string): boolean => options.exclude?.some(p => p.test(name)) ?? false
    const made = new Made()
    let follower: Follower | undefined
    let seen = new Map<string, string>()
    let sometimes = new Set<string>()
    let askedAt = Number.NEGATIVE_INFINITY
    let listedThen = ''
    let isCut = false
    /** Of the last question; it stands until the next one. */
    let failure: unknown

    const isTime = (): boolean => {
      const age = host.monotonic() - askedAt
      const listed = host.list('/run/systemd/units').join(' ')
      if (age < soonest || (age < every && listed === listedThen)) return false
      askedAt = host.monotonic()
      listedThen = listed
      return true
    }

    /** Services to be asked for in detail. */
    const interesting = (units: readonly Unit[], follower: Follower): readonly string[] => {
      const services = units.filter(u => u.name.endsWith('.service') && !isIgnored(u.name))
      const asked = services.filter(u => {
        if (u.active === 'inactive') return follower.hasFailed(u.name)
        return u.active === 'failed' || sometimes.has(u.name) || isNamed(u.name) || seen.get(u.name) !== stateOf(u)
      })
      if (!isCut && asked.length > mostServices) {
        isCut = true
        say('warning', `more than ${mostServices} services to follow: those listed first are`, { source: at.name })
      }
      return asked.slice(0, mostServices).map(u => u.name)
    }

    const answer = async (time: number, signal: AbortSignal): Promise<Observation> => {
      const samples: Sample[] = []
      const happened: Event[] = []
      const units = await askUnits(host, signal)
      if (units === undefined) return { samples, events: happened }
      follower ??= new Follower(keep.load())
      const services = await askServices(host, interesting(units, follower), signal)
      const manager = await askManager(host, signal)
      const lookedUp = await askResults(host, services, follower, signal)
      seen = new Map(units.map(u => [u.name, stateOf(u)]))
      for (const one of services) {
        if (one.restartsSometimes) sometimes.add(one.name)
        else sometimes.delete(one.name)
        happened.push(...follower.look(one, lookedUp.get(one.name) ?? [], time))
      }
      sometimes = new Set([...sometimes].filter(name => seen.has(name)))
      happened.push(...follower.keepOnly(seen, time))
      const told = units.filter(u => !isIgnored(u.name) && (u.active === 'failed' || isNamed(u.name)))
      const uptime = uptimeOf(host)
      samples.push(...made.counts(units, time), ...made.states(told, time))
      for (const one of services) samples.push(...made.ofService(one, isNamed(one.name), uptime, time))
      if (manager !== undefined)
        samples.push(...made.manager(manager.state, time), { series: jobsSeries, time, value: manager.jobs })
      return { samples, events: happened }
    }

    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      // sd_booted(3)
      if (!host.list('/run/systemd').includes('system')) return { samples: [], events: [] }
      if (isTime()) {
        failure = undefined
        return answer(time, signal).catch((error: unknown) => {
          failure = error
          throw error
        })
      }
      if (failure !== undefined) throw failure
      return { samples: [], events: [] }
    }

    const committed = (): void => {
      const text = follower?.text()
      if (text !== undefined) keep.save(text)
    }
    return polled({ ...at, interval: options.interval, read, committed })
  },
}

function stateOf({ active, sub }: Unit): string {
  return `${active} ${sub}`
}

/** How it looks where dbus-daemon does not find the unit's dynamic user, systemd issue 22737. */
const notConnected = 'Transport endpoint is not connected'

async function ask(
  host: Host,
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const output = await host.run(command, args, { ...limits, signal })
  if (output === undefined) return undefined
  if (output.status !== 0) {
    const hint = output.stderr.includes(notConnected)
      ? '; dbus-daemon refuses dynamic users, see systemd/README.md'
      : ''
    throw new Error(`${command} ${args[0]}: ended with ${output.status}: ${output.stderr.slice(0, 200)}${hint}`)
  }
  return output.stdout.toString('utf8')
}

async function askUnits(host: Host, signal: AbortSignal): Promise<readonly Unit[] | undefined> {
  const args = ['list-units', '--all', '--full', '--plain', '--no-legend', '--no-pager']
  const text = await ask(host, 'systemctl', args, signal)
  return text === undefined ? undefined : parseUnits(list, text)
}

async function askServices(host: Host, names: readonly string[], signal: AbortSignal): Promise<readonly Service[]> {
  if (names.length === 0) return []
  const args = ['show', '--no-pager', `--property=${serviceProperties}`, '--', ...names]
  const text = await ask(host, 'systemctl', args, signal)
  return text === undefined ? [] : parseServices(show, text)
}

async function askManager(host: Host, signal: AbortSignal) {
  const text = await ask(host, 'systemctl', ['show', '--no-pager', '--property=SystemState,NJobs'], signal)
  return text === undefined ? undefined : parseManager(show, text)
}

/** SD_MESSAGE_UNIT_FAILURE_RESULT of sd-messages.h: systemd tells the journal with what result a service ended. */
const failureResult = 'MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c'

/** Why services that were started again had ended; nothing where the journal is not ours to read. */
async function askResults(host: Host, services: readonly Service[], follower: Follower, signal: AbortSignal) {
  const found = new Map<string, readonly string[]>()
  const anew = services.filter(one => follower.restartsSince(one) > 0).slice(0, mostLookedUp)
  for (const one of anew) {
    const count = Math.min(mostLookedUp, follower.restartsSince(one))
    const args = ['-q', '--no-pager', '-o', 'json', '-n', String(count), failureResult, `UNIT=${one.name}`]
    const output = await host.run('journalctl', args, { ...limits, signal })
    if (output !== undefined) found.set(one.name, parseResults(output.stdout.toString('utf8')))
  }
  return found
}

/** Seconds; CLOCK_MONOTONIC lacks what the machine slept through, which servers do not. */
function uptimeOf(host: Host): number | undefined {
  const bytes = host.read('/proc/uptime')
  return bytes && new Scan('/proc/uptime', bytes).decimal()
}

const mostSeries = 5000

/** Series by what they are of, and which of them are 1 now. */
class Made {
  readonly #series = new Map<string, Series>()
  #states = new Set<Series>()
  #manager: Series | undefined
  #counts = new Set<Series>()

  counts(units: readonly Unit[], time: number): Sample[] {
    const by = new Map([...this.#counts].map(series => [series, 0]))
    for (const { name, active } of units) {
      const type = name.slice(name.lastIndexOf('.') + 1)
      const series = this.#of(`count ${type} ${active}`, () =>
        unitCount.of({ 'systemd.unit.type': type, 'systemd.unit.active_state': active }),
      )
      by.set(series, (by.get(series) ?? 0) + 1)
    }
    // A type and state of which there was a unit stays told: 0 is then a measurement.
    this.#counts = new Set(by.keys())
    return [...by].map(([series, value]) => ({ series, time, value }))
  }

  states(told: readonly Unit[], time: number): Sample[] {
    const now = new Set(
      told.map(({ name, active, sub }) =>
        this.#of(`state ${name} ${active} ${sub}`, () =>
          unitState.of({ [unit]: name, 'systemd.unit.active_state': active, 'systemd.unit.sub_state': sub }),
        ),
      ),
    )
    const left = [...this.#states].filter(series => !now.has(series))
    this.#states = now
    return [
      ...[...now].map(series => ({ series, time, value: 1 })),
      ...left.map(series => ({ series, time, value: 0 })),
    ]
  }

  ofService(service: Service, isNamed: boolean, uptime: number | undefined, time: number): Sample[] {
    const { name, since } = service
    const samples: Sample[] = []
    if (isNamed || service.restarts > 0) {
      const series = this.#of(`restarts ${name}`, () => restarts.of({ [unit]: name }))
      samples.push({ series, time, value: service.restarts })
    }
    if ((isNamed || service.active === 'failed') && since > 0 && uptime !== undefined) {
      const series = this.#of(`age ${name}`, () => unitAge.of({ [unit]: name }))
      samples.push({ series, time, value: Math.max(0, uptime - since / 1e6) })
    }
    return samples
  }

  manager(state: string, time: number): Sample[] {
    const now = this.#of(`manager ${state}`, () => managerState.of({ 'systemd.state': state }))
    const before = this.#manager
    this.#manager = now
    const left = before === undefined || before === now ? [] : [{ series: before, time, value: 0 }]
    return [{ series: now, time, value: 1 }, ...left]
  }

  #of(key: string, make: () => Series): Series {
    // Names that come and go (run-u123.service) must not add up.
    if (this.#series.size > mostSeries) this.#series.clear()
    const series = this.#series.get(key) ?? make()
    this.#series.set(key, series)
    return series
  }
}
