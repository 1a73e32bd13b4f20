// What a drive says of itself at one moment, in words that no vendor owns.

export const counts = [
  'reallocated',
  'spin_retries',
  'power_cycles',
  'uncorrected',
  'timeouts',
  'high_fly_writes',
  'reallocations',
  'pending',
  'unreadable',
] as const
export type CountName = (typeof counts)[number]

/** The SMART attribute (ATA) that counts it. */
export const smartIds: Readonly<Record<CountName, number>> = {
  reallocated: 5,
  spin_retries: 10,
  power_cycles: 12,
  uncorrected: 187,
  timeouts: 188,
  high_fly_writes: 189,
  reallocations: 196,
  pending: 197,
  unreadable: 198,
}

/** Sectors that wait come and go; everything else only ever grows. */
export const comeAndGo: ReadonlySet<CountName> = new Set(['pending', 'unreadable'])

/** Each of them tells of damage; the others tell of habits and age as well. */
export const damage = ['reallocated', 'uncorrected', 'reallocations', 'pending', 'unreadable'] as const

export const media = ['spinning', 'flash'] as const
export type Medium = (typeof media)[number]

export interface Reading {
  /** ms since 1970. */
  readonly time: number
  /** Which drive this is; another one begins anew. */
  readonly drive: string
  /** Absent: as before, and spinning at first. */
  readonly medium?: Medium | undefined
  /** Power-on time (attribute 9). */
  readonly hours?: number | undefined
  /** Its size, in 10^12 bytes. */
  readonly terabytes?: number | undefined
  /** Absent: the drive does not report it. */
  readonly counts: Partial<Readonly<Record<CountName, number>>>
}

/** Attribute 188 packs three counts into 48 bits; the lowest 16 count all (docs/smart.md). */
export function unpackTimeouts(raw: number): number {
  return raw % 65_536
}
