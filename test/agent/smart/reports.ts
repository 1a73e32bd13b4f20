// A folder of reports as `fieldline smart-reports` leaves it, and the source that reads it pass by pass.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { smart } from '../../../agent/sources/smart.ts'
import type { Event } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { fakeHost } from '../fake-host.ts'
import { readings } from '../source-contract.ts'

export interface Disk {
  readonly serial?: string
  readonly firmware?: string
  readonly wwn?: number
  /** Raw values by attribute. */
  readonly counters?: Readonly<Record<number, number>>
  /** Numbers in the error log, newest first. */
  readonly errors?: readonly number[]
  readonly passed?: boolean
  readonly asleep?: true
  readonly trouble?: string
}

export interface News {
  /** `errors_grown` and its body, in short. */
  readonly events: readonly Event[]
  readonly values: Readonly<Record<string, number>>
  readonly said: readonly string[]
}

export function reportOf(device: string, disk: Disk, time: number): unknown {
  const sleeping = { string: 'Device is in STANDBY mode, exit(2)', severity: 'information' }
  const head = {
    smartctl: { version: [7, 4], messages: disk.asleep ? [sleeping] : [], exit_status: disk.asleep ? 2 : 0 },
    local_time: { time_t: Math.floor(time / 1000) },
    device: { name: device, info_name: device, type: 'sat', protocol: 'ATA' },
  }
  if (disk.asleep) return head
  const { serial = 'A', firmware = '1', counters = {}, errors, passed = true, wwn } = disk
  const table = Object.entries(counters).map(([id, value]) => ({
    id: Number(id),
    name: `Attribute_${id}_CRC`,
    value: 100,
    raw: { value, string: String(value) },
  }))
  const log = errors?.map(n => ({ error_number: n, lifetime_hours: 10 * n }))
  return {
    ...head,
    model_name: 'DISK',
    serial_number: serial,
    firmware_version: firmware,
    smart_status: { passed },
    ...(wwn !== undefined && { wwn: { naa: 5, oui: 1, id: wwn } }),
    ata_smart_attributes: { table },
    ...(log && { ata_smart_error_log: { extended: { count: log.length, table: log } } }),
  }
}

/** A machine on which a pass is made and then read by a source that has just started, with what it kept. */
export function machine(t: Test, options: object = {}) {
  const root = t.testdir({})
  const host = fakeHost(root)
  const folder = join(root, 'run/fieldline/smart')
  mkdirSync(folder, { recursive: true })
  let keep = memoryKeep()

  const write = (disks: Readonly<Record<string, Disk>>): void => {
    const drives = Object.entries(disks).map(([device, disk]) => {
      const file = `${device.slice(5)}.json`
      if (disk.trouble !== undefined) return { device, type: 'sat', trouble: disk.trouble }
      writeFileSync(join(folder, file), JSON.stringify(reportOf(device, disk, host.now())))
      return { device, type: 'sat', file }
    })
    writeFileSync(join(folder, 'index.json'), JSON.stringify({ version: 1, time: host.now(), drives }))
  }
  const read = async (kept: Keep = keep): Promise<News> => {
    const place = new Place()
    const [reading] = await readings(smart, smart.options.read(options, place), host, 1, () => {}, kept)
    return { events: reading!.events, values: reading!.values, said: reading!.said }
  }
  /** A pass over these disks, and what is new then. */
  const pass = async (disks: Readonly<Record<string, Disk>>): Promise<News> => {
    host.pass(600_000)
    write(disks)
    return read()
  }
  const forget = (text?: string): void => {
    keep = memoryKeep(text)
  }
  return { host, folder, write, read, pass, forget, kept: () => keep.load() }
}

/** What happened, in one line each. */
export function brief(events: readonly Event[]): string[] {
  return events.map(({ name, severity, body }) => {
    const { from, to, counter, error_number: number } = body as Record<string, unknown>
    const short = name.replace('hw.physical_disk.', '')
    if (short === 'errors_grown') return `${counter} ${from} -> ${to}`
    if (short === 'error_logged') return `${severity} error ${number}`
    if (short === 'state_changed' || short === 'firmware_changed') return `${short} ${from} -> ${to}`
    return short
  })
}
