// Who lies where, by pseudonyms. A bed has one patient at a time, a patient one bed; the last stays of a bed are
// remembered, so that a reading that comes late still finds who lay there when it was taken.

import type { Standing, Stay, Tables } from './memory.ts'

/** Stays of a bed that are remembered. */
const stays = 4
/** After so long, ms, a device that moved stands still. */
export const still = 60_000

type Places = Pick<Tables, 'beds' | 'whereabouts'>
type Devices = Pick<Tables, 'devices'>

export interface Occupant {
  readonly patient: string
  readonly visit?: string
}

/** The patient lies in the bed from then on; whoever was there before has left, and so has the patient elsewhere. */
export function occupy(places: Places, bed: string, { patient, visit }: Occupant, time: number): void {
  const before = places.whereabouts.get(patient)
  if (before !== undefined && before !== bed) vacate(places, patient, time)
  const [current, ...older] = places.beds.get(bed) ?? []
  const isThere = current !== undefined && current.to === undefined && current.patient === patient
  const stay: Stay = { patient, ...(visit !== undefined && { visit }), from: isThere ? current.from : time }
  const rest = current === undefined ? [] : isThere ? older : [ended(current, time), ...older]
  if (current !== undefined && current.to === undefined && !isThere) places.whereabouts.delete(current.patient)
  places.beds.set(bed, [stay, ...rest].slice(0, stays))
  places.whereabouts.set(patient, bed)
}

/** The patient has left. The bed that was left, if any. */
export function vacate(places: Places, patient: string, time: number): string | undefined {
  const bed = places.whereabouts.get(patient)
  if (bed === undefined) return undefined
  const [current, ...older] = places.beds.get(bed) ?? []
  if (current?.patient === patient) places.beds.set(bed, [ended(current, time), ...older])
  places.whereabouts.delete(patient)
  return bed
}

/** The stay never was: an admission or a transfer is taken back. */
export function forget(places: Places, patient: string): string | undefined {
  const bed = places.whereabouts.get(patient)
  if (bed === undefined) return undefined
  places.beds.set(
    bed,
    (places.beds.get(bed) ?? []).filter(s => s.patient !== patient || s.to !== undefined),
  )
  places.whereabouts.delete(patient)
  return bed
}

/** Two names were one patient, who has the second from now on, and lies where that one lies if both lie somewhere. */
export function rename(places: Places, from: string, to: string, time: number): void {
  const bed = places.whereabouts.get(from)
  if (bed === undefined || from === to) return
  const own = places.whereabouts.get(to)
  if (own !== undefined && own !== bed) vacate(places, from, time)
  places.beds.set(
    bed,
    (places.beds.get(bed) ?? []).map(s => (s.patient === from ? { ...s, patient: to } : s)),
  )
  places.whereabouts.delete(from)
  places.whereabouts.set(to, own ?? bed)
}

/** Who lay in the bed at that time. */
export function occupant(places: Places, bed: string, time: number): Occupant | undefined {
  const stay = places.beds.get(bed)?.find(s => s.from <= time && time < (s.to ?? Number.POSITIVE_INFINITY))
  return stay && { patient: stay.patient, ...(stay.visit !== undefined && { visit: stay.visit }) }
}

/** A device says that it is at the bed, or at none. Where it says another one of before it came where it is, both are in doubt. */
export function stand({ devices }: Devices, device: string, bed: string | undefined, from: number, now: number): void {
  const before = devices.get(device)
  if (before?.bed === bed) return
  if (before === undefined) devices.set(device, { bed, from })
  else if (from < before.from) devices.set(device, { bed: undefined, from: before.from, since: now })
  else devices.set(device, { bed, from, since: now })
}

/** Where a device stood at that time. None for one that is or was elsewhere, nor for one that names now this bed, now that. */
export function bedAt({ devices }: Devices, device: string, time: number, now: number): string | undefined {
  const place = devices.get(device)
  return place !== undefined && time >= place.from && isStill(place, now) ? place.bed : undefined
}

export function isStill({ since }: Standing, now: number): boolean {
  return since === undefined || Math.abs(now - since) >= still
}

function ended(stay: Stay, time: number): Stay {
  return stay.to === undefined ? { ...stay, to: Math.max(stay.from, time) } : stay
}
