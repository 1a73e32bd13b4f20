// The state of one interface's link, /sys/class/net/*: what may change at any time is read each time, and what an
// administrator or the other end decides once a minute and when the carrier changed, as asking the driver may wait on
// the device. Documentation/ABI/testing/sysfs-class-net of the kernel.

import type { Host } from '../../core/host.ts'
import type { Sample, Series } from '../../core/model.ts'
import { Scan } from '../scan.ts'
import { details, metrics } from './metrics.ts'

export interface Link {
  readonly name: string
  /** Whether a device stands behind it, and not only software. */
  readonly hasHardware: boolean
  /** @throws Error that names the file. */
  read(time: number): readonly Sample[]
  close(): void
}

const askEvery = 60_000

/** What a file's content says, in the order of `series`; undefined: nothing. */
type Parse = (scan: Scan) => readonly (number | undefined)[]

interface Question {
  readonly file: string
  readonly series: readonly Series[]
  readonly parse: Parse
  /** Told only above 0, where there is no hardware to have such errors. */
  readonly quiet?: boolean
}

export function openLink(name: string, host: Host): Link {
  const folder = `/sys/class/net/${name}`
  const hasHardware = host.list(`${folder}/device`).length > 0
  const [state, changes] = [host.file(`${folder}/operstate`), host.file(`${folder}/carrier_changes`)]
  const attributes = { 'hw.id': name, 'network.interface.name': name }
  const [up, carrierChanges] = [metrics.up.of(attributes), metrics.changes.of(attributes)]
  const seldom = questions(attributes, hasHardware)
  let askedAt = Number.NEGATIVE_INFINITY
  let changesThen: number | undefined

  const ask = (time: number, into: Sample[]): void => {
    for (const { file, series, parse, quiet } of seldom) {
      const bytes = host.read(`${folder}/${file}`)
      if (bytes === undefined) continue
      const values = parse(new Scan(`${folder}/${file}`, bytes))
      for (const [n, one] of series.entries()) if (!quiet || values[n]! > 0) tell(one, values[n], time, into)
    }
  }

  const read = (time: number): Sample[] => {
    const into: Sample[] = []
    const bytes = state.read()
    if (bytes !== undefined) tell(up, parseOperstate(new Scan(`${folder}/operstate`, bytes)), time, into)
    const counted = changes.read()
    const now = counted && new Scan(`${folder}/carrier_changes`, counted).integer()
    tell(carrierChanges, now, time, into)
    if (Math.abs(time - askedAt) >= askEvery || now !== changesThen) {
      ask(time, into)
      askedAt = time
      changesThen = now
    }
    return into
  }
  const close = (): void => {
    state.close()
    changes.close()
  }
  return { name, hasHardware, read, close }
}

function tell(series: Series, value: number | undefined, time: number, into: Sample[]): void {
  if (value !== undefined) into.push({ series, time, value })
}

function questions(of: Readonly<Record<string, string>>, hasHardware: boolean): readonly Question[] {
  const detailed = details.map(({ file, kind, direction }) => ({
    file: `statistics/${file}`,
    series: [metrics.details.of({ ...of, 'error.type': kind, 'network.io.direction': direction })],
    parse: parseCount,
    quiet: !hasHardware,
  }))
  return [
    { file: 'speed', series: [metrics.limit.of(of)], parse: parseSpeed },
    { file: 'duplex', series: [metrics.fullDuplex.of(of)], parse: parseDuplex },
    { file: 'mtu', series: [metrics.mtu.of(of)], parse: parseCount },
    { file: 'flags', series: [metrics.enabled.of(of), metrics.promiscuous.of(of)], parse: parseFlags },
    { file: 'carrier_up_count', series: [metrics.carrierUp.of(of)], parse: parseCount },
    { file: 'carrier_down_count', series: [metrics.carrierDown.of(of)], parse: parseCount },
    ...detailed,
  ]
}

const parseCount: Parse = scan => [scan.integer()]

const noSpeed = Buffer.from('-1\n')

/** Megabits a second, or -1; in bytes a second. */
const parseSpeed: Parse = scan => (scan.takes(noSpeed) ? [] : [(scan.integer() * 1_000_000) / 8])

/** IFF_UP and IFF_PROMISC of include/uapi/linux/if.h. */
const [setUp, promiscuous] = [0x1, 0x100]
const hexadecimal = Buffer.from('0x')

const parseFlags: Parse = scan => {
  if (!scan.takes(hexadecimal)) scan.fail('flags such as 0x1003')
  const flags = scan.hex(8)
  return [flags & setUp, (flags & promiscuous) === 0 ? 0 : 1]
}

const parseDuplex: Parse = scan => [word(scan, duplexes, 'full, half or unknown')]

/** The operational states of RFC 2863; `unknown` (tunnels, loopback) has no value. */
function parseOperstate(scan: Scan): number | undefined {
  return word(scan, states, 'an operational state such as up')
}

interface Word {
  readonly word: Buffer
  readonly value: number | undefined
}

const states = words({
  up: 1,
  down: 0,
  lowerlayerdown: 0,
  notpresent: 0,
  dormant: 0,
  testing: 0,
  unknown: undefined,
})
const duplexes = words({ full: 1, half: 0, unknown: undefined })

function words(values: Readonly<Record<string, number | undefined>>): readonly Word[] {
  return Object.entries(values).map(([word, value]) => ({ word: Buffer.from(`${word}\n`), value }))
}

function word(scan: Scan, known: readonly Word[], expected: string): number | undefined {
  const found = known.find(({ word }) => scan.takes(word))
  return found === undefined ? scan.fail(expected) : found.value
}
