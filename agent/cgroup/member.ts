// One cgroup that is told of: its files, read each time or once a minute, and its series.

import type { Host, HostFile } from '../../core/host.ts'
import type { Event, Sample, Series } from '../../core/model.ts'
import { Scan } from '../scan.ts'
import type { Identity } from './identity.ts'
import type { CgroupFile, Parse, Values } from './parse.ts'
import { type Told, tellings } from './told.ts'
import type { Trees } from './tree.ts'

/** Readings between two looks at limits, at peaks, and at files that were absent. */
export const slowEvery = 6

interface Slot {
  readonly path: string
  readonly file: HostFile
  readonly parse: Parse
  readonly isSlow: boolean
  isAbsent: boolean
}

export interface Member {
  readonly path: string
  readonly identity: Identity
  /** Undefined when it has vanished. @throws Error that names the file. */
  read(time: number): { readonly samples: readonly Sample[]; readonly events: readonly Event[] } | undefined
  close(): void
}

/** `keepsOpen`: whether its files stay open between readings. `within`: its path in `trees`, where that is another. */
export function openMember(
  path: string,
  identity: Identity,
  trees: Trees,
  host: Host,
  keepsOpen: boolean,
  within = path,
): Member {
  const slots = trees.files.flatMap(file => slotOf(within, file, trees, host))
  const told = tellings[identity.kind]
  const series: (Series | undefined)[] = []
  let readings = 0
  let memoryLimit: number | undefined
  let oomKill: number | undefined

  const valuesOf = (): Values => {
    const isSlowTime = readings++ % slowEvery === 0
    const values: Values = {}
    for (const slot of slots) if (isSlowTime || !(slot.isSlow || slot.isAbsent)) readSlot(slot, values, keepsOpen)
    if (isSlowTime) memoryLimit = values.memoryLimit
    return values
  }

  const sampleOf = ({ value, of }: Told, n: number, values: Values, time: number): Sample[] => {
    const found = value(values, memoryLimit)
    if (found === undefined) return []
    series[n] ??= of(identity.attributes)
    return [{ series: series[n], time, value: found }]
  }

  const read = (time: number) => {
    const values = valuesOf()
    const samples = told.flatMap((one, n) => sampleOf(one, n, values, time))
    if (samples.length === 0) return undefined
    const killed = values.oomKill === undefined || oomKill === undefined ? 0 : values.oomKill - oomKill
    oomKill = values.oomKill ?? oomKill
    return { samples, events: killed > 0 ? [oomEvent(killed, values, identity, path, time)] : [] }
  }
  const close = (): void => {
    for (const { file } of slots) file.close()
  }
  return { path, identity, read, close }
}

function slotOf(path: string, file: CgroupFile, trees: Trees, host: Host): Slot[] {
  const at = trees.fileOf(path, file)
  if (at === undefined) return []
  return [{ path: at, file: host.file(at), parse: file.parse, isSlow: file.isSlow === true, isAbsent: false }]
}

function readSlot(slot: Slot, into: Values, keepsOpen: boolean): void {
  const { path, file, parse } = slot
  try {
    const bytes = file.read()
    slot.isAbsent = bytes === undefined
    if (bytes !== undefined) parse(new Scan(path, bytes), into)
  } finally {
    if (!keepsOpen || slot.isSlow) file.close()
  }
}

function oomEvent(killed: number, { memory }: Values, { attributes }: Identity, path: string, time: number): Event {
  const usage = memory === undefined ? {} : { memory_usage: memory }
  return { name: 'cgroup.oom_kill', time, severity: 'error', body: { killed, cgroup: path, ...usage }, attributes }
}
