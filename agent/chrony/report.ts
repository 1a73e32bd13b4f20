// What `chronyc -c -m tracking sources sourcestats` prints: a line for the clock, one for each source, and one with the
// statistics of each; told apart by how many columns they have.

import type { CommandOutput } from '../../core/host-command.ts'

export interface Tracking {
  /** Who is followed: an address or a reference clock's name; undefined where it is nobody. */
  readonly reference: string | undefined
  readonly synchronized: boolean
  readonly leap: string
  readonly stratum: number
  /** When the clock was last updated by a measurement, s since the epoch. */
  readonly updated: number
  /**
   * Correction, last and RMS offset (s), frequency, residual frequency and skew (parts per million), root delay, root
   * dispersion and update interval (s).
   */
  readonly values: readonly number[]
}

export interface TimeSource {
  readonly address: string
  readonly mode: string
  /** As chronyc marks it: `*` selected, `+` combined, `-` not combined, `?` unusable, `x` falseticker, `~` too variable. */
  readonly state: string
  readonly stratum: number
  /** The last eight polls, the newest in the lowest bit. */
  readonly reach: number
  /** Since the last answer, s; undefined where there was none yet. */
  readonly age: number | undefined
  readonly offset: number
  readonly error: number
  /** Of sourcestats: how far its measurements spread, s. */
  readonly deviation?: number
}

/** Undefined where no chronyd answers. @throws Error that names the command. */
export function parseChrony({
  stdout,
  stderr,
}: CommandOutput): { readonly tracking: Tracking; readonly sources: readonly TimeSource[] } | undefined {
  const text = stdout.toString('utf8')
  // Status and words differ by version: `506 Cannot talk to daemon`, `501 Not authorised`.
  if (text.trim() === '' || /^50\d /.test(text) || /^50\d /.test(stderr)) return undefined
  if (!text.endsWith('\n')) throw new Error(`chronyc: cut short: ${JSON.stringify(text.slice(-40))}`)
  const rows = text
    .slice(0, -1)
    .split('\n')
    .map(line => line.split(','))
  const [first = [], ...rest] = rows
  const sources = rest.filter(row => row.length === 10).map(parseSource)
  const deviations = new Map(rest.filter(row => row.length === 8).map(row => [row[0], number(row[7]!)]))
  const odd = rest.find(row => row.length !== 10 && row.length !== 8)
  if (odd !== undefined)
    throw new Error(`chronyc: neither a source nor its statistics: ${JSON.stringify(odd.join(','))}`)
  return {
    tracking: parseTracking(first),
    sources: sources.map(one => {
      const deviation = deviations.get(one.address)
      return deviation === undefined ? one : { ...one, deviation }
    }),
  }
}

/** `C342F10A,194.58.204.20,2,1700000000.1,correction,last,rms,frequency,residual,skew,delay,dispersion,interval,Normal` */
function parseTracking(row: readonly string[]): Tracking {
  const [id, name, level, updated, ...rest] = row
  const state = rest.at(-1)
  if (
    row.length !== 14 ||
    !/^[0-9A-F]{8}$/.test(id!) ||
    !/^(Normal|Insert second|Delete second|Not synchroni[sz]ed)$/.test(state!)
  ) {
    throw new Error(`chronyc -c tracking: not as expected: ${JSON.stringify(row.join(','))}`)
  }
  // 127.127.1.1: `local stratum`, the clock follows itself.
  const synchronized = !/^Not/.test(state!) && id !== '7F7F0101' && id !== '00000000'
  return {
    reference: synchronized ? name || id : undefined,
    synchronized,
    leap: state!,
    stratum: number(level!),
    updated: number(updated!),
    values: rest.slice(0, -1).map(number),
  }
}

const modes: Readonly<Record<string, string>> = { '^': 'server', '=': 'peer', '#': 'reference clock' }
const never = 4294967295

/** `^,*,194.58.204.20,1,6,377,12,adjusted offset,measured offset,error` */
function parseSource(row: readonly string[]): TimeSource {
  const [mode, state, address, level, , reach, age, offset, , error] = row as [string, string, string, ...string[]]
  if (modes[mode] === undefined || !/^[*+?x~-]$/.test(state) || address === '' || !/^[0-3]?[0-7]{1,2}$/.test(reach!)) {
    throw new Error(`chronyc -c sources: not as expected: ${JSON.stringify(row.join(','))}`)
  }
  const seconds = number(age!)
  return {
    address,
    mode: modes[mode],
    state,
    stratum: number(level!),
    reach: Number.parseInt(reach!, 8),
    age: seconds === never ? undefined : seconds,
    offset: number(offset!),
    error: number(error!),
  }
}

function number(text: string): number {
  if (!/^-?\d{1,12}(\.\d+)?$/.test(text)) throw new Error(`chronyc: not a number: ${JSON.stringify(text.slice(0, 40))}`)
  // -0.000 is what a small negative number was rounded to.
  return Number(text) + 0
}
