// Bonds and their slaves: who is up, who carries, whether LACP agrees with the other end.

import { reason } from '../../core/errors.ts'
import type { Host, HostFile } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Event, Sample } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { type Bond, isLacp, parseBond, readAggregator, readMasters, readSlaves, readSysfs } from '../bonding/bond.ts'
import { conditionOf, events, News } from '../bonding/news.ts'
import { metric } from '../metric.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'

interface Options extends Patterns {
  readonly interval: number
}

const folder = '/proc/net/bonding'
const mostBonds = 64

const [name, slaveKey, state, side] = [
  'network.interface.name',
  'network.bond.slave',
  'network.bond.slave.state',
  'network.lacp.side',
]
const bond = (
  what: string,
  unit: string,
  keys: readonly string[],
  brief: string,
  kind: 'gauge' | 'counter' = 'gauge',
) => metric(`system.network.bond.${what}`, unit, kind, [name, ...keys], `${folder}/*, /sys/class/net/*/bonding`, brief)

const metrics = {
  up: bond('up', '1', [], '1 where the bond works'),
  count: bond('slave.count', '{slave}', [state], 'slaves whose link is up, and down'),
  usable: bond('slave.usable', '{slave}', [], 'slaves that are up and, with LACP, in the active aggregator'),
  slaveUp: bond('slave.up', '1', [slaveKey], "1 where the slave's link is up"),
  active: bond('slave.active', '1', [slaveKey], '1 for the slave that carries the traffic, in modes that have one'),
  failures: bond('slave.failures', '{failure}', [slaveKey], 'times the link of the slave was lost', 'counter'),
  aggregated: bond('slave.aggregated', '1', [slaveKey], 'LACP: 1 where the slave is in the active aggregator'),
  churning: bond('slave.churning', '1', [slaveKey, side], 'LACP: 1 where the port does not get into step'),
  churned: bond('slave.churned', '{churn}', [slaveKey, side], 'LACP: times the port got out of step', 'counter'),
}

export const bonding: Source<Options> = {
  name: 'bonding',
  options: object({ interval, ...patterns }),
  metrics: Object.values(metrics),
  events,
  open(options, at) {
    const chosen = chooser(options, [])
    const trouble = troubles(at.say)
    const news = new News(at.keep)
    const bonds = new Map<string, Watched>()
    const isDue = seldom()

    const look = (): void => {
      const found = bondsOf(at.host).filter(chosen)
      trouble('bonding', found.length > mostBonds ? `only ${mostBonds} of ${found.length} bonds are read` : undefined)
      const present = found.slice(0, mostBonds)
      for (const one of present) if (!bonds.has(one)) bonds.set(one, watch(at.host, one))
      for (const [one, { file }] of bonds) {
        if (present.includes(one)) continue
        file.close()
        bonds.delete(one)
        news.forget(one)
      }
    }
    const read = (time: number) => {
      if (isDue(time)) look()
      const samples: Sample[] = []
      const told: Event[] = []
      for (const [one, watched] of bonds) {
        try {
          const now = readBond(at.host, one, watched.file)
          trouble(`bond ${one}`, undefined)
          if (now === undefined) continue
          samples.push(...samplesOf(now, watched.series, time))
          told.push(...news.of(now, one, time))
        } catch (error) {
          trouble(`bond ${one}`, reason(error))
        }
      }
      return { samples, events: told }
    }
    const close = (): void => {
      for (const { file } of bonds.values()) file.close()
    }
    return polled({ ...at, interval: options.interval, read, committed: () => news.committed(), close })
  },
}

/** The folder is absent where the module is not loaded, or where another network namespace's /proc is mounted. */
function bondsOf(host: Host): readonly string[] {
  const listed = host.list(folder)
  return listed.length > 0 ? listed : readMasters(host)
}

function readBond(host: Host, one: string, file: HostFile): Bond | undefined {
  const bytes = file.read()
  if (bytes === undefined) return readSysfs(host, one)
  const now = parseBond(`${folder}/${one}`, bytes)
  const names = readSlaves(host, one)
  // A file that lost its end looks like a bond with fewer slaves.
  if (names !== undefined && names.join(' ') !== now.slaves.map(s => s.name).join(' ')) {
    throw new Error(`${folder}/${one}: expected the slaves ${names.join(' ')}`)
  }
  if (!isLacp(now) || now.aggregator !== undefined) return now
  return { ...now, aggregator: readAggregator(host, one) }
}

interface Watched {
  readonly file: HostFile
  readonly series: ReturnType<typeof seriesOf>
}

function watch(host: Host, one: string): Watched {
  return { file: host.file(`${folder}/${one}`), series: seriesOf(one) }
}

function seriesOf(one: string) {
  const own = { [name]: one }
  const slaves = new Map<string, ReturnType<typeof slaveSeriesOf>>()
  const ofSlave = (slave: string) => {
    const series = slaves.get(slave) ?? slaveSeriesOf({ ...own, [slaveKey]: slave })
    slaves.set(slave, series)
    return series
  }
  const [slavesUp, slavesDown] = [
    metrics.count.of({ ...own, [state]: 'up' }),
    metrics.count.of({ ...own, [state]: 'down' }),
  ]
  return { up: metrics.up.of(own), slavesUp, slavesDown, usable: metrics.usable.of(own), ofSlave }
}

function slaveSeriesOf(of: Readonly<Record<string, string>>) {
  const both = (one: typeof metrics.churned) => ({
    actor: one.of({ ...of, [side]: 'actor' }),
    partner: one.of({ ...of, [side]: 'partner' }),
  })
  return {
    up: metrics.slaveUp.of(of),
    active: metrics.active.of(of),
    failures: metrics.failures.of(of),
    aggregated: metrics.aggregated.of(of),
    churning: both(metrics.churning),
    churned: both(metrics.churned),
  }
}

function samplesOf(now: Bond, series: Watched['series'], time: number): Sample[] {
  const samples: Sample[] = []
  const tell = (one: Sample['series'], value: number): void => void samples.push({ series: one, time, value })
  const { down, apart } = conditionOf(now)
  tell(series.up, Number(now.up))
  tell(series.slavesUp, now.slaves.length - down.length)
  tell(series.slavesDown, down.length)
  const lacp = isLacp(now)
  const agreed = now.aggregator
  const isKnown = !lacp || (agreed !== undefined && now.slaves.every(s => s.aggregator !== undefined))
  if (isKnown) tell(series.usable, now.slaves.length - down.length - apart.length)
  for (const slave of now.slaves) {
    const of = series.ofSlave(slave.name)
    tell(of.up, Number(slave.up))
    tell(of.failures, slave.failures)
    if (now.active !== undefined) tell(of.active, Number(slave.name === now.active))
    if (lacp && agreed !== undefined && slave.aggregator !== undefined)
      tell(of.aggregated, Number(slave.aggregator === agreed))
    for (const { side, churned, count } of slave.churn) {
      tell(of.churning[side], Number(churned))
      tell(of.churned[side], count)
    }
  }
  return samples
}
