// Disks, network interfaces and GPUs, as the kernel keeps them in /sys: no device is asked, so none is woken.

import type { Host } from '../../core/host.ts'
import { type Component, type Fields, fieldsOf, lineOf, mostOfType, parseWord, telling } from './component.ts'

const sectorSize = 512

/** Disks with a device behind them, neither optical nor floppy. */
export function diskParts(host: Host): readonly Component[] {
  const names = host.list('/sys/block').filter(name => !/^(sr|fd|loop|ram|zram|dm-|md)\d/.test(name))
  return names
    .filter(name => host.list(`/sys/block/${name}`).includes('device'))
    .slice(0, mostOfType)
    .map(name => ({ type: 'physical_disk', place: name, fields: diskFields(host, `/sys/block/${name}`) }))
}

function diskFields(host: Host, disk: string): Fields {
  const first = (...files: readonly string[]): string | undefined => {
    for (const file of files) {
      const line = lineOf(host, `${disk}/${file}`)
      if (line !== undefined) return line
    }
    return undefined
  }
  return fieldsOf({
    vendor: first('device/vendor'),
    model: first('device/model', 'device/name'),
    serial: first('device/serial', 'serial') ?? vitalSerial(host, `${disk}/device/vpd_pg80`),
    wwn: first('wwid', 'device/wwid'),
    firmware: first('device/firmware_rev', 'device/rev', 'device/fwrev'),
    size: size(host, `${disk}/size`),
  })
}

/** Bytes; the kernel counts sectors of 512 whatever the disk does. */
function size(host: Host, file: string): number | undefined {
  const line = lineOf(host, file)
  if (line === undefined) return undefined
  if (!/^\d{1,15}$/.test(line)) throw new Error(`${file}: expected a number of sectors, got ${JSON.stringify(line)}`)
  return Number(line) * sectorSize
}

/** Vital product data page 80h, the unit's serial number: page and length in 4 bytes, then text; SPC-5, 7.7.18. */
function vitalSerial(host: Host, file: string): string | undefined {
  const bytes = host.read(file)
  if (bytes === undefined || bytes.length === 0) return undefined
  const text = bytes.toString('latin1', 4, 4 + bytes.readUInt8(Math.min(3, bytes.length - 1))).replace(/[\0 ]+$/, '')
  if (bytes[1] !== 0x80 || !/^[\x20-\x7e]*$/.test(text)) throw new Error(`${file}: expected a page 80h`)
  return telling(text)
}

/** Interfaces with a device behind them. */
export function nicParts(host: Host): readonly Component[] {
  return host
    .list('/sys/class/net')
    .filter(name => host.list(`/sys/class/net/${name}`).includes('device'))
    .slice(0, mostOfType)
    .map(name => ({ type: 'network', place: name, fields: nicFields(host, `/sys/class/net/${name}`) }))
}

function nicFields(host: Host, nic: string): Fields {
  // Bonds and people set addresses; only what the device itself has is its own (NET_ADDR_PERM).
  const assigned = host.read(`${nic}/addr_assign_type`)
  const isOwn = assigned === undefined || parseWord(`${nic}/addr_assign_type`, assigned) === '0'
  const address = lineOf(host, `${nic}/address`)
  if (address !== undefined && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5,31}$/.test(address)) {
    throw new Error(`${nic}/address: expected an address, got ${JSON.stringify(address)}`)
  }
  return fieldsOf({ mac: isOwn ? address : undefined, ...busFields(host, `${nic}/device`) })
}

/** What a device of a bus is: `pci 8086:1533`, its address, its driver. */
function busFields(host: Host, device: string): Readonly<Record<string, string | undefined>> {
  const event = deviceEvent(host, `${device}/uevent`)
  return {
    model: event.get('PCI_ID')?.toLowerCase() ?? event.get('MODALIAS'),
    subsystem: event.get('PCI_SUBSYS_ID')?.toLowerCase(),
    slot: event.get('PCI_SLOT_NAME'),
    driver: event.get('DRIVER'),
  }
}

/** Lines `PCI_ID=8086:1533`. */
function deviceEvent(host: Host, file: string): ReadonlyMap<string, string> {
  const text = host.read(file)?.toString('utf8') ?? ''
  const lines = text.split('\n').filter(line => line !== '')
  return new Map(
    lines.map(line => {
      const [, key, value] = /^([A-Z0-9_]{1,64})=([\x20-\x7e]{0,256})$/.exec(line) ?? []
      if (key === undefined || value === undefined) {
        throw new Error(`${file}: expected NAME=value, got ${JSON.stringify(line.slice(0, 60))}`)
      }
      return [key, value] as const
    }),
  )
}

/** Display controllers and processing accelerators, PCI Code and ID Assignment Specification. */
const gpuClasses = /^0x(03|12)[0-9a-f]{4}$/
const pci = '/sys/bus/pci/devices'

export function gpuParts(host: Host): readonly Component[] {
  const slots = host.list(pci).filter(slot => gpuClasses.test(lineOf(host, `${pci}/${slot}/class`) ?? ''))
  return slots.slice(0, mostOfType).map(slot => ({ type: 'gpu', place: slot, fields: gpuFields(host, slot) }))
}

function gpuFields(host: Host, slot: string): Fields {
  const device = `${pci}/${slot}`
  const { model, subsystem, driver } = busFields(host, device)
  const nvidia = driver === 'nvidia' ? nvidiaFields(host, slot) : {}
  return fieldsOf({
    model,
    subsystem,
    driver,
    // Those of AMD's driver.
    name: lineOf(host, `${device}/product_name`),
    serial: lineOf(host, `${device}/serial_number`),
    uuid: lineOf(host, `${device}/unique_id`),
    firmware: lineOf(host, `${device}/vbios_version`),
    ...nvidia,
  })
}

/** NVIDIA's driver: `Model: \t\t NVIDIA A100-SXM4-40GB`; a GPU that fell off the bus has question marks. */
function nvidiaFields(host: Host, slot: string): Readonly<Record<string, string | undefined>> {
  const file = `/proc/driver/nvidia/gpus/${slot}/information`
  const lines = (host.read(file)?.toString('latin1') ?? '').split('\n').filter(line => line !== '')
  const found = new Map(lines.map(line => parseInformation(file, line)))
  const tell = (key: string): string | undefined => {
    const value = found.get(key) ?? ''
    return value.includes('??') ? undefined : telling(value)
  }
  return {
    name: tell('Model'),
    uuid: tell('GPU UUID'),
    firmware: tell('Video BIOS'),
    driver_version: lineOf(host, '/sys/module/nvidia/version'),
  }
}

function parseInformation(file: string, line: string): readonly [string, string] {
  const [, key, value] = /^([\x20-\x39\x3b-\x7e]{1,40}):\s*([\x20-\x7e]{0,100})$/.exec(line) ?? []
  if (key !== undefined && value !== undefined) return [key, value]
  throw new Error(`${file}: expected name and value, got ${JSON.stringify(line.slice(0, 60))}`)
}
