// One unit as whoever reads it sees it. Links to one address share its line: how it is kept in step is told there.

import type { Host } from '../../core/host.ts'
import { type Address, nameOf } from './address.ts'
import { Line, type LineOptions, type Member } from './line.ts'
import { Mbap } from './mbap.ts'
import type { Asks, Identify, Read, Write } from './pdu.ts'
import { Rtu } from './rtu.ts'
import { byteTime, serialWire, silence } from './serial.ts'
import { tcpWire } from './tcp.ts'

export interface LinkOptions extends Member {
  readonly line: Address['line']
}

export class ModbusLink implements Asks {
  readonly #options: LinkOptions
  readonly #line: Line

  /** `host`: whose lines they are. */
  constructor(options: LinkOptions, host: Pick<Host, never>) {
    this.#options = options
    this.#line = lineOf(options.line, host)
  }

  read(request: Read): Promise<Buffer> {
    this.#line.join(this.#options)
    return this.#line.ask(this.#options, request)
  }

  write(request: Write): Promise<Buffer> {
    this.#line.join(this.#options)
    return this.#line.ask(this.#options, request)
  }

  /** The answer from its level on, see identification.ts. @throws as `read` does. */
  identify(request: Identify): Promise<Buffer> {
    this.#line.join(this.#options)
    return this.#line.ask(this.#options, request)
  }

  close(): void {
    this.#line.leave(this.#options)
  }
}

/** The lines of each machine by their address: one connection each, whatever number of links. */
const lines = new WeakMap<object, Map<string, Line>>()

function lineOf(at: Address['line'], host: object): Line {
  const own = lines.get(host) ?? new Map<string, Line>()
  lines.set(host, own)
  const key = JSON.stringify(at)
  const line = own.get(key) ?? new Line(optionsOf(at))
  own.set(key, line)
  return line
}

function optionsOf(at: Address['line']): LineOptions {
  const name = nameOf(at)
  if (at.transport === 'rtu')
    return { name, open: serialWire(at), framing: () => new Rtu(), silence: silence(at), byteTime: byteTime(at) }
  const framing = at.transport === 'tcp' ? () => new Mbap() : () => new Rtu()
  return { name, open: tcpWire(at), framing, silence: 0, byteTime: 0 }
}
