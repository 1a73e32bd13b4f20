// A PLC, meter or drive over Modbus TCP. docs/modbus.md is the guide for whoever stands at the cabinet.

import { polled } from '../../agent/polled.ts'
import type { Source } from '../../agent/source.ts'
import { duration, integer, matching, object, optional } from '../../core/shape.ts'
import { Device } from '../modbus/device.ts'
import { ModbusLink } from '../modbus/link.ts'
import { attributes, registers } from '../modbus/registers.ts'

const shared = object({
  url: matching(
    /^modbus-tcp:\/\/(\[[0-9a-fA-F:]+\]|[^\s/:]+)(:\d{1,5})?\/?$/,
    'an address such as modbus-tcp://192.168.0.10:502',
  ),
  unit_id: optional(integer(0, 255), 1),
  interval: optional(duration(10), 1000),
  timeout: optional(duration(10, 60_000), 1000),
  /** Unwanted addresses to read across where that saves a request. */
  max_gap: optional(integer(0, 100), 8),
  attributes,
  registers,
})

export const modbus: Source<ReturnType<typeof options.read>> = {
  name: 'modbus',
  options,
  metrics: undefined,
  open(o, at) {
    const { hostname, port } = new URL(o.url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const link = new ModbusLink({ host, port: Number(port || 502), unit_id: o.unit_id, timeout: o.timeout })
    const device = new Device(o, at, link)
    return polled({ ...at, interval: o.interval, read: () => device.read(), close: () => link.close() })
  },
}
