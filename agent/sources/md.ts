// Software RAID: /proc/mdstat, parsed anew only when it changed, and what /sys/block/md*/md tells beside it,
// Documentation/admin-guide/md.rst of the kernel.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { changesOf, events, type MdMemory, memoryOf, stateOf, states } from '../md/changes.ts'
import { type MdArray, parseMdstat, type SyncAction, syncActions } from '../md/mdstat.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'
import { parseNumber, parseText } from '../sysfs.ts'

/** More have not been seen on one machine. */
const mostArrays = 128

const device = ['system.device.name']
const told = (name: string, unit: string, brief: string, attributes: readonly string[] = device) =>
  metric(`system.md.${name}`, unit, 'gauge', attributes, '/proc/mdstat', brief)
const of = {
  status: metric(
    'hw.status',
    '1',
    'gauge',
    ['hw.id', 'hw.type', 'hw.state'],
    '/proc/mdstat',
    '1 for the state that an array is in: ok, degraded, failed',
  ),
  limit: metric(
    'hw.logical_disk.limit',
    'By',
    'gauge',
    ['hw.id', 'hw.type', 'hw.logical_disk.raid_level'],
    '/proc/mdstat',
    'capacity of an array',
  ),
  disks: told('disks', '{disk}', 'active, rebuilding, failed, spare, missing', [...device, 'system.md.disk.state']),
  disksLimit: told('disks.limit', '{disk}', 'active ones that it should have'),
  progress: told('sync.progress', '1', 'done part of a check, recovery, reshape or resync', [
    ...device,
    'system.md.sync.action',
  ]),
  speed: told('sync.speed', 'By/s', 'of it, on each disk', [...device, 'system.md.sync.action']),
  waiting: told('sync.waiting', '1', '1 where one is due but waits'),
  bitmapUsage: told('bitmap.usage', '{page}', 'pages of memory that the write-intent bitmap takes'),
  bitmapLimit: told('bitmap.limit', '{page}', 'pages that it could take'),
  mismatches: metric(
    'system.md.mismatches',
    '{sector}',
    'gauge',
    device,
    '/sys/block/md*/md/mismatch_cnt',
    'that the last check found to differ; once a minute and on change',
  ),
}

export const md: Source<{ readonly interval: number }> = {
  name: 'md',
  options: object({ interval }),
  metrics: Object.values(of),
  events,
  open({ interval }, at) {
    const mdstat = openMdstat(at.host)
    const trouble = troubles(at.say)
    const isTimeToLook = seldom()
    const known = new Map<string, Known>()
    let memory = remembered(at.keep.load())
    let saved = JSON.stringify([...memory])

    const readOne = (array: MdArray, looks: boolean, time: number): [Sample[], readonly Event[]] => {
      const one = known.get(array.name) ?? {
        series: seriesOf(array.name),
        beside: { broken: undefined, mismatches: undefined },
      }
      known.set(array.name, one)
      if (looks) one.beside = look(array, at.host, trouble)
      const { broken, mismatches } = one.beside
      const state = stateOf(array, broken)
      const samples = samplesOf(array, one.series, looks ? mismatches : undefined, time)
      if (state === undefined) return [samples, []]
      const now = memoryOf(array, state)
      const news = changesOf(array, memory.get(array.name), now, mismatches, time)
      memory.set(array.name, now)
      const status = one.series.status.map((series, n) => ({ series, time, value: states[n] === state ? 1 : 0 }))
      return [[...status, ...samples], news]
    }

    const read = (time: number) => {
      const found = mdstat.read()
      if (found === undefined) return { samples: [], events: [] }
      const looks = isTimeToLook(time) || found.changed
      const arrays = found.arrays.slice(0, mostArrays)
      trouble(
        'arrays',
        arrays.length < found.arrays.length ? `more than ${mostArrays}, the last are not read` : undefined,
      )
      const all = arrays.map(array => readOne(array, looks, time))
      memory = new Map([...memory].filter(([name]) => arrays.some(array => array.name === name)))
      return { samples: all.flatMap(([samples]) => samples), events: all.flatMap(([, news]) => news) }
    }
    const committed = (): void => {
      const now = JSON.stringify([...memory])
      if (now !== saved) at.keep.save(now)
      saved = now
    }
    return polled({ ...at, interval, read, committed, close: () => mdstat.close() })
  },
}

function openMdstat(host: Host) {
  const file = host.file('/proc/mdstat')
  let bytes = Buffer.alloc(0)
  let arrays: readonly MdArray[] = []
  const read = () => {
    const now = file.read()
    if (now === undefined) return undefined
    if (now.equals(bytes)) return { arrays, changed: false }
    arrays = parseMdstat(now)
    bytes = Buffer.from(now)
    return { arrays, changed: true }
  }
  return { read, close: () => file.close() }
}

/** What sysfs tells beside mdstat; empty where it does not. */
interface Beside {
  readonly broken: boolean | undefined
  readonly mismatches: number | undefined
}

interface Known {
  readonly series: ReturnType<typeof seriesOf>
  beside: Beside
}

/** Of Documentation/admin-guide/md.rst. */
const arrayStates: ReadonlySet<string> = new Set(
  'clear inactive suspended readonly read-auto clean active write-pending active-idle broken'.split(' '),
)

function look({ name }: MdArray, host: Host, trouble: ReturnType<typeof troubles>): Beside {
  const folder = `/sys/block/${name}/md`
  const ask = <T>(file: string, parse: (path: string, bytes: Buffer) => T): T | undefined => {
    const path = `${folder}/${file}`
    try {
      const bytes = host.read(path)
      const value = bytes && parse(path, bytes)
      trouble(`array ${name}, ${file}`, undefined)
      return value
    } catch (error) {
      trouble(`array ${name}, ${file}`, reason(error))
      return undefined
    }
  }
  return { broken: ask('array_state', parseBroken), mismatches: ask('mismatch_cnt', parseNumber) }
}

function parseBroken(file: string, bytes: Buffer): boolean {
  const state = parseText(file, bytes)
  if (arrayStates.has(state)) return state === 'broken'
  throw new Error(`${file}: expected a state such as clean, got ${state}`)
}

function remembered(text: string | undefined): Map<string, MdMemory> {
  try {
    return new Map(JSON.parse(text ?? '[]') as [string, MdMemory][])
  } catch {
    // What is damaged is as good as absent: what lasts is told again.
    return new Map()
  }
}

const diskStates = ['active', 'rebuilding', 'failed', 'spare', 'missing'] as const
type DiskState = (typeof diskStates)[number]

function seriesOf(name: string) {
  const about = { 'system.device.name': name }
  const each = <K extends string>(keys: readonly K[], make: (key: K) => Series): Record<K, Series> =>
    Object.fromEntries(keys.map(key => [key, make(key)])) as Record<K, Series>
  const bySync = (metric: (typeof of)['speed']): Record<SyncAction, Series> =>
    each(syncActions, action => metric.of({ ...about, 'system.md.sync.action': action }))
  const limits = new Map<string, Series>()
  const hardware: Attributes = { 'hw.id': name, 'hw.type': 'logical_disk' }
  return {
    status: states.map(state => of.status.of({ ...hardware, 'hw.state': state })),
    limit: (level: string): Series => {
      const known = limits.get(level) ?? of.limit.of({ ...hardware, 'hw.logical_disk.raid_level': level })
      limits.set(level, known)
      return known
    },
    disks: each(diskStates, state => of.disks.of({ ...about, 'system.md.disk.state': state })),
    disksLimit: of.disksLimit.of(about),
    progress: bySync(of.progress),
    speed: bySync(of.speed),
    waiting: of.waiting.of(about),
    bitmapUsage: of.bitmapUsage.of(about),
    bitmapLimit: of.bitmapLimit.of(about),
    mismatches: of.mismatches.of(about),
  }
}

function samplesOf(
  array: MdArray,
  series: ReturnType<typeof seriesOf>,
  mismatches: number | undefined,
  time: number,
): Sample[] {
  const { active, level, size, slots, sync, bitmap } = array
  const samples: Sample[] = []
  const tell = (series: Series, value: number | undefined): void => {
    if (value !== undefined) samples.push({ series, time, value })
  }
  if (active && level !== undefined) tell(series.limit(level), size)
  for (const [state, count] of Object.entries(countDisks(array))) tell(series.disks[state as DiskState], count)
  tell(series.disksLimit, slots?.all)
  if (sync?.running !== undefined) {
    tell(series.progress[sync.action], sync.running.done)
    tell(series.speed[sync.action], sync.running.speed)
  }
  if (slots !== undefined) tell(series.waiting, sync !== undefined && sync.running === undefined ? 1 : 0)
  tell(series.bitmapUsage, bitmap?.used)
  tell(series.bitmapLimit, bitmap?.all)
  tell(series.mismatches, mismatches)
  return samples
}

/** Missing are those that no disk listed stands for, a failed or a rebuilding one. */
function countDisks({ active, disks, slots }: MdArray): Partial<Record<DiskState, number>> {
  const count = (state: string): number => disks.filter(disk => disk.state === state).length
  const [members, failed, spare] = [count('member'), count('failed'), count('spare')]
  if (!active) return { failed, spare }
  if (slots === undefined) return { active: members, failed, spare }
  const rebuilding = Math.max(0, members - slots.inSync)
  const missing = Math.max(0, slots.all - slots.inSync - rebuilding - failed)
  return { active: slots.inSync, rebuilding, failed, spare, missing }
}
