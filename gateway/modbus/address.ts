// Where a device is: the URL of a configuration or of `fieldline probe`, taken apart.

import { type Shape, shape } from '../../core/shape.ts'

export const parities = ['none', 'even', 'odd'] as const

/** MODBUS over Serial Line V1.02, clauses 2.5.1 and 3.2: 8 data bits always, even parity and 19,200 baud unless told otherwise. */
export interface SerialLine {
  readonly transport: 'rtu'
  readonly path: string
  readonly baud: number
  readonly parity: (typeof parities)[number]
  readonly stop: 1 | 2
}

export interface TcpLine {
  /** `tcp`: Modbus TCP; `rtu-tcp`: RTU frames through a converter. */
  readonly transport: 'tcp' | 'rtu-tcp'
  readonly host: string
  readonly port: number
}

export interface Address {
  readonly line: SerialLine | TcpLine
  /** Where the URL names one. */
  readonly unit: number | undefined
}

const expects =
  'an address such as modbus-tcp://192.168.0.10:502, modbus-rtu-tcp://192.168.0.11:4001 or modbus-rtu:///dev/ttyUSB0?baud=19200&parity=even'

export const address: Shape<Address> = shape(expects, (raw, place) => {
  const read = typeof raw === 'string' ? parse(raw) : undefined
  if (typeof read !== 'string') return read
  place.wrong(read)
  return undefined
})

/** What a person reads, and the same for two sources on one line: `192.168.0.10:502`, `/dev/ttyUSB0`. */
export function nameOf(line: SerialLine | TcpLine): string {
  if (line.transport === 'rtu') return line.path
  return line.host.includes(':') ? `[${line.host}]:${line.port}` : `${line.host}:${line.port}`
}

/** A text says what is wrong; undefined: no address at all. */
function parse(url: string): Address | string | undefined {
  const serial = /^modbus-rtu:\/\/(\/[^\s?#]+)(?:\?([^\s#]*))?$/.exec(url)
  if (serial) return serialAt(serial[1]!, new URLSearchParams(serial[2]))
  const tcp = /^modbus-(tcp|rtu-tcp):\/\/(?:\[([0-9a-fA-F:]+)\]|([^\s/:?#[\]]+))(?::(\d{1,5}))?(?:\/(\d{1,3})?)?$/.exec(
    url,
  )
  if (!tcp) return undefined
  const port = Number(tcp[4] ?? 502)
  if (port === 0 || port > 65_535) return `a port is from 1 to 65535, not ${port}`
  const line = { transport: tcp[1] as TcpLine['transport'], host: (tcp[2] ?? tcp[3])!, port }
  return withUnit(line, tcp[5])
}

function serialAt(path: string, query: URLSearchParams): Address | string {
  const known = ['baud', 'parity', 'stop', 'unit']
  const stranger = [...query.keys()].find(key => !known.includes(key))
  if (stranger !== undefined) return `a serial address knows ${known.join(', ')}, not ${stranger}`
  const baud = Number(query.get('baud') ?? 19_200)
  if (!(Number.isInteger(baud) && baud >= 50 && baud <= 4_000_000)) return `baud=${query.get('baud')} is no baud rate`
  const parity = parities.find(p => p === (query.get('parity') ?? 'even'))
  if (parity === undefined) return `parity is one of ${parities.join(', ')}, not ${query.get('parity')}`
  const stop = Number(query.get('stop') ?? 1)
  if (stop !== 1 && stop !== 2) return `stop is 1 or 2, not ${query.get('stop')}`
  return withUnit({ transport: 'rtu', path, baud, parity, stop }, query.get('unit') ?? undefined)
}

function withUnit(line: SerialLine | TcpLine, unit: string | undefined): Address | string {
  if (unit === undefined) return { line, unit: undefined }
  const id = Number(unit)
  return Number.isInteger(id) && id >= 0 && id <= 255 ? { line, unit: id } : `a unit id is from 0 to 255, not ${unit}`
}
