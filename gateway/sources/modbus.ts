// A PLC, meter or drive over Modbus TCP or RTU. docs/modbus.md is the guide for whoever stands at the cabinet.

import { polled } from '../../agent/polled.ts'
import type { Source } from '../../agent/source.ts'
import { duration, integer, object, optional, refined } from '../../core/shape.ts'
import { address } from '../modbus/address.ts'
import { Device, modbusEvents } from '../modbus/device.ts'
import { rawOf } from '../modbus/encode.ts'
import { ModbusLink } from '../modbus/link.ts'
import { most } from '../modbus/pdu.ts'
import { attributes, registers } from '../modbus/registers.ts'
import { SunspecDevice } from '../modbus/sunspec.ts'
import { sunspecMap } from '../modbus/sunspec-map.ts'
import { checkUnused, fillIn, templateOptions } from '../modbus/templates.ts'
import { writer } from '../modbus/write.ts'

const fields = object({
  url: address,
  unit_id: optional(integer(0, 255)),
  interval: optional(duration(10), 1000),
  timeout: optional(duration(10, 60_000), 1000),
  outstanding: optional(integer(1, 16), 1),
  pace: optional(duration(0, 60_000), 0),
  max_gap: optional(integer(0, 100), 8),
  max_registers: optional(integer(1, most.registersRead), most.registersRead),
  max_bits: optional(integer(1, most.bitsRead), most.bitsRead),
  attributes,
  registers: optional(registers, []),
  sunspec: optional(sunspecMap),
  ...templateOptions,
})

const options = refined(fields, (o, place) => {
  const { url, unit_id } = o
  if (url.unit !== undefined && unit_id !== undefined && url.unit !== unit_id)
    place.at('unit_id').wrong(`the address names unit ${url.unit}; say it once`)
  if (url.line.transport === 'rtu' && (unit_id ?? url.unit) === 0)
    place.at('unit_id').wrong('on a serial line unit 0 means all units, and none of them answers')
  checkUnused(o, place)
  if (o.template === undefined && o.registers.length === 0 && o.sunspec === undefined)
    place.at('registers').wrong('expected registers, or a template')
})

export const modbus: Source<ReturnType<typeof options.read>> = {
  name: 'modbus',
  options,
  fillIn,
  metrics: undefined,
  events: modbusEvents,
  writes: o =>
    Object.fromEntries(o.registers.filter(r => r.write !== undefined).map(r => [r.name, value => rawOf(r, value)])),
  open(o, at) {
    const { timeout, outstanding, pace } = o
    const unit_id = o.unit_id ?? o.url.unit ?? 1
    const link = new ModbusLink({ line: o.url.line, unit_id, timeout, outstanding, pace }, at.host)
    const device = o.sunspec ? new SunspecDevice({ ...o, sunspec: o.sunspec }, at, link) : new Device(o, at, link)
    return {
      ...polled({ ...at, interval: o.interval, read: () => device.read(), close: () => link.close() }),
      actions: { write: writer(o.registers, link, at.host) },
    }
  },
}
