// The payload of Sparkplug B, read as far as a command needs it: NCMD and DCMD come from a socket (Sparkplug 3.0.0, 6.4.23).

import { ProtoReader } from '../../core/protobuf.ts'

export interface CommandMetric {
  /** Either is there; a host that knows aliases sends no name. */
  readonly name: string | undefined
  readonly alias: number | undefined
  /** Undefined where there is none, or it is of a type that no metric of ours has. */
  readonly value: number | boolean | string | undefined
}

/** More metrics in one command are refused. */
const mostMetrics = 1000
/** The signed types of int_value by their bits, and the type that is signed in long_value. */
const signedBits: Readonly<Record<number, number>> = { 1: 8, 2: 16, 3: 32 }
const int64 = 4

/** @throws RangeError on malformed bytes and on too many metrics. */
export function readCommand(bytes: Uint8Array): readonly CommandMetric[] {
  const input = new ProtoReader(bytes)
  const metrics: CommandMetric[] = []
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field !== 2) input.skip()
    else if (metrics.push(readMetric(input)) > mostMetrics)
      throw new RangeError(`sparkplug: more than ${mostMetrics} metrics in a command`)
  }
  return metrics
}

type Raw = bigint | number | boolean | string

function readMetric(input: ProtoReader): CommandMetric {
  const outer = input.enter()
  let name: string | undefined
  let alias: number | undefined
  let type = 0
  let isNull = false
  let raw: Raw | undefined
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) name = input.string()
    else if (field === 2) alias = input.uint()
    else if (field === 4) type = input.uint()
    else if (field === 7) isNull = input.uint() !== 0
    else if (field >= 10 && field <= 15) raw = readValue(input, field)
    else input.skip()
  }
  input.leave(outer)
  return { name, alias, value: isNull || raw === undefined ? undefined : plain(raw, type) }
}

function readValue(input: ProtoReader, field: number): Raw {
  if (field === 12) return input.float()
  if (field === 13) return input.double()
  if (field === 14) return input.uint() !== 0
  if (field === 15) return input.string()
  const value = input.int64()
  return field === 10 ? BigInt.asUintN(32, value) : value
}

/** What a signed type means by its bits; undefined for what a number cannot hold. */
function plain(raw: Raw, type: number): number | boolean | string | undefined {
  if (typeof raw === 'number') return Number.isFinite(raw) ? raw : undefined
  if (typeof raw !== 'bigint') return raw
  const bits = signedBits[type]
  const whole =
    bits !== undefined ? BigInt.asIntN(bits, raw) : type === int64 || raw >= 0n ? raw : BigInt.asUintN(64, raw)
  const value = Number(whole)
  return Number.isSafeInteger(value) ? value : undefined
}
