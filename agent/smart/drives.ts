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
  // The others do not say who they are: they are who was there before, if that one is nowhere else now.
  for (const one of seen) {
    if (one.report?.identity === undefined) add(one, before(one, known) ?? nameless(one))
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

function before(one: Seen, known: KnownDrives): Identity | undefined {
  const slot = slotOf(one)
  return [...known.values()].find(k => k.slot === slot && k.gone === undefined)?.identity
}

/** A device that never said who it is: it failed or slept whenever it was asked. */
export function isNameless({ model, serial }: Identity): boolean {
  return model === undefined && serial === undefined
}

function nameless(one: Seen): Identity {
  return { id: slotOf(one), vendor: undefined, model: undefined, serial: undefined, firmware: undefined }
}
