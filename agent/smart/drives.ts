// Which drive each report of a pass is of. A drive is its identity, not its name: names change with every boot. Two paths
// to one drive are one drive; two drives whose maker gave them one WWN are told apart by their serial numbers.

import type { Identity } from './identity.ts'
import type { Known } from './memory.ts'
import type { Report } from './report.ts'

/** What a pass has of one device. */
export interface Seen {
  readonly device: string
  readonly type: string
  readonly report?: Report
  /** Why there is no report of use. */
  readonly trouble?: string
  /** Where no report says who it is: what the kernel read of it when it found it, /sys/block/*\/device/wwid. */
  readonly wwid?: string
}

/** A device and the drive behind it. */
export interface Drive extends Seen {
  readonly id: string
  readonly identity: Identity
  readonly slot: string
}

type KnownDrives = ReadonlyMap<string, Known>

export function slotOf({ device, type }: Seen): string {
  return `${device} ${type}`
}

/** What a person calls it; many drives behind one controller share its device. */
export function nameOf({ device, type }: Seen): string {
  return type.includes(',') ? `${device} [${type}]` : device
}

/** Each drive once; of several paths to it one that has a report. */
export function resolve(seen: readonly Seen[], known: KnownDrives): readonly Drive[] {
  const found = new Map<string, Drive>()
  const add = (one: Seen, identity: Identity): void => {
    const held = found.get(identity.id)
    if (held === undefined) found.set(identity.id, { ...one, id: identity.id, identity, slot: slotOf(one) })
  }
  for (const one of seen) {
    const identity = one.report?.identity
    if (identity !== undefined) add(one, distinct(identity, found, known))
  }
  for (const one of seen) {
    if (one.report?.identity === undefined) add(one, silent(one, known))
  }
  return [...found.values()]
}

/** With the serial number where the WWN is another drive's. */
function distinct(identity: Identity, found: ReadonlyMap<string, Drive>, known: KnownDrives): Identity {
  const { id, serial } = identity
  const other = (found.get(id) ?? known.get(id))?.identity.serial
  return serial === undefined || other === undefined || other === serial
    ? identity
    : { ...identity, id: `${id}_${serial}` }
}

/** Who it is that sleeps or does not answer: by what the kernel knows, else who was there before. */
function silent(one: Seen, known: KnownDrives): Identity {
  const id = one.wwid && idOf(one.wwid)
  const nobody = { id: id ?? slotOf(one), vendor: undefined, model: undefined, serial: undefined, firmware: undefined }
  if (id !== undefined) return known.get(id)?.identity ?? nobody
  return [...known.values()].find(k => k.slot === nobody.id && k.gone === undefined)?.identity ?? nobody
}

/** `naa.5000c500a1b2c3d4`, or `t10.ATA` with model and serial number in fields of fixed width. */
function idOf(wwid: string): string | undefined {
  const naa = /^naa\.([\da-f]{16})$/.exec(wwid)
  if (naa !== null) return `wwn-0x${naa[1]}`
  const ata = /^t10\.ATA\s+(\S.*)$/.exec(wwid)
  return ata === null ? undefined : `ata-${ata[1]!.replace(/\s+/g, '_')}`
}

/** A device that never said who it is: it failed or slept whenever it was asked. */
export function isNameless({ model, serial }: Identity): boolean {
  return model === undefined && serial === undefined
}
