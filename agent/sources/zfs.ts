// ZFS where the host has it: its cache (ARC), its pools and their datasets, /proc/spl/kstat/zfs, OpenZFS arc_stats_t,
// spa_stats.c and dataset_kstats.c.

import { reason } from '../../core/errors.ts'
import type { HostFile } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'
import { eventOf, events, type PoolState, poolStates } from '../zfs/changes.ts'
import { numberOf, parseNamed, parseRow, parseState } from '../zfs/kstat.ts'

const root = '/proc/spl/kstat/zfs'
const mostPools = 64
/** Each costs a descriptor; snapshots are not among them. */
const mostDatasets = 256

const ofArc = (name: string, unit: string, kind: 'gauge' | 'counter', brief: string, ...attributes: string[]) =>
  metric(`system.zfs.${name}`, unit, kind, attributes, `${root}/arcstats`, brief)
const pool = 'system.zfs.pool.name'
const dataset = 'system.zfs.dataset.name'
const direction = 'disk.io.direction'
const counted = (name: string, unit: string, file: string, brief: string, ...attributes: string[]) =>
  metric(`system.zfs.${name}`, unit, 'counter', attributes, `${root}/*/${file}`, brief)
const of = {
  size: ofArc('arc.size', 'By', 'gauge', 'memory that the cache takes'),
  target: ofArc('arc.target', 'By', 'gauge', 'size that it aims at now'),
  least: ofArc('arc.target.min', 'By', 'gauge', 'least that it may aim at'),
  most: ofArc('arc.target.max', 'By', 'gauge', 'most that it may aim at'),
  list: ofArc('arc.usage', 'By', 'gauge', 'used lately (mru) and often (mfu)', 'system.zfs.arc.list'),
  accesses: ofArc(
    'arc.accesses',
    '{access}',
    'counter',
    'hit or miss; demanded or fetched ahead, data or metadata',
    'system.zfs.arc.access',
    'system.zfs.arc.result',
  ),
  throttles: ofArc('arc.throttles', '{throttle}', 'counter', 'writes held back for lack of memory'),
  l2Size: ofArc('l2arc.size', 'By', 'gauge', 'used on cache devices; these only where there is one'),
  l2Accesses: ofArc('l2arc.accesses', '{access}', 'counter', 'hit or miss', 'system.zfs.arc.result'),
  l2Io: ofArc('l2arc.io', 'By', 'counter', 'of cache devices', direction),
  l2Errors: ofArc('l2arc.errors', '{error}', 'counter', 'of cache devices: io, checksum, write', 'error.type'),
  state: metric(
    'system.zfs.pool.status',
    '1',
    'gauge',
    [pool, 'system.zfs.pool.state'],
    `${root}/*/state`,
    '1 for the state that a pool is in',
  ),
  poolIo: counted('pool.io', 'By', 'io', 'of a pool; ZFS before 2.0', pool, direction),
  poolOperations: counted('pool.operations', '{operation}', 'io', 'of a pool; ZFS before 2.0', pool, direction),
  io: counted('dataset.io', 'By', 'objset-*', 'asked by programs, also from the cache', pool, dataset, direction),
  operations: counted('dataset.operations', '{operation}', 'objset-*', 'asked by programs', pool, dataset, direction),
}

/** A series and the name of its value in a file. */
type Told = readonly (readonly [Series, string])[]

const results = { hit: 'hits', miss: 'misses' } as const
const arc: Told = [
  [of.size.of(), 'size'],
  [of.target.of(), 'c'],
  [of.least.of(), 'c_min'],
  [of.most.of(), 'c_max'],
  ...['mru', 'mfu'].map(list => [of.list.of({ 'system.zfs.arc.list': list }), `${list}_size`] as const),
  ...['demand_data', 'demand_metadata', 'prefetch_data', 'prefetch_metadata'].flatMap(access =>
    Object.entries(results).map(([result, name]) => {
      const attributes = { 'system.zfs.arc.access': access, 'system.zfs.arc.result': result }
      return [of.accesses.of(attributes), `${access}_${name}`] as const
    }),
  ),
  [of.throttles.of(), 'memory_throttle_count'],
]
const l2arc: Told = [
  [of.l2Size.of(), 'l2_asize'],
  ...Object.entries(results).map(
    ([result, name]) => [of.l2Accesses.of({ 'system.zfs.arc.result': result }), `l2_${name}`] as const,
  ),
  [of.l2Io.of({ [direction]: 'read' }), 'l2_read_bytes'],
  [of.l2Io.of({ [direction]: 'write' }), 'l2_write_bytes'],
  [of.l2Errors.of({ 'error.type': 'io' }), 'l2_io_error'],
  [of.l2Errors.of({ 'error.type': 'checksum' }), 'l2_cksum_bad'],
  [of.l2Errors.of({ 'error.type': 'write' }), 'l2_writes_error'],
]

export const zfs: Source<{ readonly interval: number }> = {
  name: 'zfs',
  options: object({ interval }),
  metrics: Object.values(of),
  events,
  open({ interval }, at) {
    const { host } = at
    const trouble = troubles(at.say)
    const isTimeToLook = seldom()
    const states = remembered(at.keep.load())
    let saved = JSON.stringify([...states])
    let parts: ReadonlyMap<string, Part> = new Map()

    const look = (): void => {
      const pools = host.list(root).filter(name => host.list(`${root}/${name}`).length > 0)
      const all = pools.slice(0, mostPools).flatMap(name => partsOf(name, host.list(`${root}/${name}`)))
      const datasets = all.filter(part => part.kind === 'dataset').slice(mostDatasets)
      trouble('pools', pools.length > mostPools ? `more than ${mostPools}, the last are not read` : undefined)
      trouble('datasets', datasets.length > 0 ? `more than ${mostDatasets}, the last are not read` : undefined)
      const wanted = all.filter(part => !datasets.includes(part))
      const open = (part: Found): Part =>
        parts.get(part.path) ?? { ...part, file: host.file(part.path), told: undefined }
      const found = new Map(wanted.map(part => [part.path, open(part)]))
      for (const [path, part] of parts) if (!found.has(path)) part.file.close()
      parts = found
      for (const name of states.keys()) if (!pools.includes(name)) states.delete(name)
    }
    const arcstats = host.file(`${root}/arcstats`)

    const readPart = (part: Part, time: number): Reading => {
      try {
        const bytes = part.file.read()
        const reading = bytes === undefined ? nothing : tellPart(part, bytes, states, time)
        trouble(part.path, undefined)
        return reading
      } catch (error) {
        trouble(part.path, reason(error))
        return nothing
      }
    }
    const read = (time: number) => {
      if (isTimeToLook(time)) look()
      const cache = arcstats.read()
      const ofCache = cache === undefined ? [] : cacheOf(cache, time)
      const all = [...parts.values()].map(part => readPart(part, time))
      return { samples: [...ofCache, ...all.flatMap(r => r.samples)], events: all.flatMap(r => r.events) }
    }
    const committed = (): void => {
      const now = JSON.stringify([...states])
      if (now !== saved) at.keep.save(now)
      saved = now
    }
    const close = (): void => {
      arcstats.close()
      for (const part of parts.values()) part.file.close()
    }
    return polled({ ...at, interval, read, committed, close })
  },
}

interface Reading {
  readonly samples: readonly Sample[]
  readonly events: readonly Event[]
}
const nothing: Reading = { samples: [], events: [] }

/** A file of a pool. */
interface Found {
  readonly path: string
  readonly pool: string
  readonly kind: 'state' | 'io' | 'dataset'
}

interface Part extends Found {
  readonly file: HostFile
  /** Its series, made at the first reading: a dataset's name is in the file. `about` is what they are of. */
  told: { readonly about: string; readonly series: Told } | undefined
}

function partsOf(pool: string, files: readonly string[]): readonly Found[] {
  return files.flatMap(file => {
    const kind = file === 'state' || file === 'io' ? file : /^objset-/.test(file) ? 'dataset' : undefined
    return kind === undefined ? [] : [{ path: `${root}/${pool}/${file}`, pool, kind }]
  })
}

function cacheOf(bytes: Buffer, time: number): readonly Sample[] {
  const file = `${root}/arcstats`
  const values = parseNamed(file, bytes)
  // Without a cache device all of these are 0.
  const used = ['l2_asize', 'l2_write_bytes'].some(name => (numberOf(file, values, name) ?? 0) > 0)
  return samplesOf(used ? [...arc, ...l2arc] : arc, file, values, time)
}

function samplesOf(told: Told, file: string, values: ReadonlyMap<string, string>, time: number): readonly Sample[] {
  return told.flatMap(([series, name]) => {
    const value = numberOf(file, values, name)
    return value === undefined ? [] : [{ series, time, value }]
  })
}

function tellPart(part: Part, bytes: Buffer, states: Map<string, PoolState>, time: number): Reading {
  if (part.kind === 'state') return stateOf(part, bytes, states, time)
  const values = part.kind === 'io' ? parseRow(part.path, bytes) : parseNamed(part.path, bytes)
  const name = part.kind === 'io' ? part.pool : values.get('dataset_name')
  if (name === undefined) return nothing
  if (part.told?.about !== name) part.told = { about: name, series: seriesOf(part, name) }
  return { samples: samplesOf(part.told.series, part.path, values, time), events: [] }
}

function seriesOf({ kind, pool: name }: Part, about: string): Told {
  const [io, operations] = kind === 'io' ? [of.poolIo, of.poolOperations] : [of.io, of.operations]
  const attributes: Attributes = kind === 'io' ? { [pool]: name } : { [pool]: name, [dataset]: about }
  return [
    [io.of({ ...attributes, [direction]: 'read' }), 'nread'],
    [io.of({ ...attributes, [direction]: 'write' }), 'nwritten'],
    [operations.of({ ...attributes, [direction]: 'read' }), 'reads'],
    [operations.of({ ...attributes, [direction]: 'write' }), 'writes'],
  ]
}

function stateOf(part: Part, bytes: Buffer, states: Map<string, PoolState>, time: number): Reading {
  const text = parseState(part.path, bytes)
  const now = poolStates.find(state => state === text)
  if (now === undefined) throw new Error(`${part.path}: expected one of ${poolStates.join(', ')}, got ${text}`)
  part.told ??= {
    about: part.pool,
    series: poolStates.map(state => [of.state.of({ [pool]: part.pool, 'system.zfs.pool.state': state }), state]),
  }
  const samples = part.told.series.map(([series, state]) => ({ series, time, value: state === now ? 1 : 0 }))
  const event = eventOf(part.pool, states.get(part.pool) ?? 'online', now, time)
  states.set(part.pool, now)
  return { samples, events: event === undefined ? [] : [event] }
}

function remembered(text: string | undefined): Map<string, PoolState> {
  try {
    return new Map(JSON.parse(text ?? '[]') as [string, PoolState][])
  } catch {
    // What is damaged is as good as absent: what lasts is told again.
    return new Map()
  }
}
