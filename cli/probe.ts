// `fieldline probe URL`: who answers at a Modbus address, what it says of itself, where it has something to read, and the
// configuration to begin with. It only reads.

import { setTimeout as delay } from 'node:timers/promises'
import { duration, Place } from '../core/shape.ts'
import type { Address } from '../gateway/modbus/address.ts'
import type { ProbeOptions, Span, Survey } from '../gateway/modbus/probe.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { table } from './table.ts'
import { texts } from './texts.ts'

/** MODBUS over Serial Line V1.02, clause 2.2. */
const lastUnit = 247
/** Where the address names no unit: 1 is usual, 255 and 0 are what devices with a connection of their own expect. */
const usualUnits = { tcp: [1, 255, 0], 'rtu-tcp': [1], rtu: [1] } as const
/** So many units are looked into; of a device that answers to every id all are the same. */
const mostSurveyed = 16

export const probe: Command = {
  async run(args) {
    const known = { scan: { type: 'boolean' }, timeout: { type: 'string' }, pace: { type: 'string' } } as const
    const { values, positionals } = readArguments(args, known, ['URL'])
    const address = await addressOf(positionals[0]!)
    const options: ProbeOptions = {
      line: address.line,
      timeout: milliseconds('--timeout', values.timeout, values.scan ? 300 : 1000),
      pace: milliseconds('--pace', values.pace, 20),
    }
    const units = await (values.scan ? scanned(options) : named(options, address))
    if (units.length === 0) return status.failed
    for (const unit of units.slice(0, units.length === lastUnit ? 1 : mostSurveyed))
      await look(options, unit, positionals[0]!)
    return status.ok
  },
}

async function addressOf(url: string): Promise<Address> {
  const { address } = await import('../gateway/modbus/address.ts')
  const place = new Place()
  const read = address.read(url, place)
  if (place.problems[0]) throw new Usage(place.problems[0].message)
  return read
}

function milliseconds(option: string, raw: string | undefined, usual: number): number {
  if (raw === undefined) return usual
  const place = new Place()
  const ms = duration(1, 60_000).read(raw, place)
  if (place.problems[0]) throw new Usage(`${option}: ${place.problems[0].message}`)
  return ms
}

/** The unit that the address names, or the first usual one that answers. */
async function named(options: ProbeOptions, { unit, line }: Address): Promise<readonly number[]> {
  const { said } = texts(process.env)
  for (const id of unit === undefined ? usualUnits[line.transport] : [unit]) {
    const why = await silence(options, id)
    if (why === undefined) return [id]
    print(said.probeSilent(id, why))
  }
  print(said.probeNobody)
  return []
}

/** Why a unit does not answer; undefined where it does. @throws when there is no connection. */
async function silence(options: ProbeOptions, id: number): Promise<string | undefined> {
  const { presence } = await import('../gateway/modbus/probe.ts')
  const found = await presence(options, id)
  if (found.answers) return undefined
  if (!found.isConnected) throw new Error(found.reason)
  return found.reason
}

async function scanned(options: ProbeOptions): Promise<readonly number[]> {
  const { said } = texts(process.env)
  const units: number[] = []
  for (let id = 1; id <= lastUnit; id++) {
    if ((await silence(options, id)) === undefined) units.push(id)
    progress(said.probeProgress(id, lastUnit, units.length), id === lastUnit)
    await delay(options.pace)
  }
  print(units.length === 0 ? said.probeNobody : said.probeUnits(units.join(', ')))
  if (units.length === lastUnit) print(said.probeEveryUnit)
  else if (units.length > mostSurveyed) print(said.probeFirstUnits(mostSurveyed))
  return units
}

/** On one line of a terminal; elsewhere now and then. */
function progress(text: string, isLast: boolean): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}${isLast ? '\n' : ''}`)
  else if (isLast) process.stderr.write(`${text}\n`)
}

async function look(options: ProbeOptions, unit: number, url: string): Promise<void> {
  const { survey } = await import('../gateway/modbus/probe.ts')
  const { said } = texts(process.env)
  const found = await survey(options, unit)
  print(`\n${said.probeUnit(unit)}`)
  print(told(found))
  print(`\n${said.probeNext}\n`)
  print(skeleton(found, unit, url))
}

function told({ identity, sunspec, spans }: Survey): string {
  const { said } = texts(process.env)
  const lines = [
    identity === undefined ? said.probeNoIdentity : said.probeIdentity(Object.values(identity).join(', ')),
    ...(sunspec ? [said.probeSunspec(sunspec.base, sunspec.models.map(m => m.id).join(', '))] : []),
    ...(spans.length === 0 ? [said.probeNothing] : [spanTable(spans)]),
  ]
  return lines.join('\n')
}

const shown = 6

function spanTable(spans: readonly Span[]): string {
  const { probeColumns } = texts(process.env).said
  const rows = spans.map(({ table, address, count, values }) => [
    table,
    count === 1 ? String(address) : `${address}-${address + count - 1}`,
    values.slice(0, shown).join(' ') + (count > shown ? ' ...' : ''),
  ])
  return table([[probeColumns.table, probeColumns.addresses, probeColumns.values], ...rows])
}

/** A configuration to begin with: by template for SunSpec, else the first registers that answered. */
function skeleton({ sunspec, spans }: Survey, unit: number, url: string): string {
  const { said } = texts(process.env)
  const source = ['daemon: gateway', 'sources:', '  - type: modbus', '    name: device', `    url: ${url}`]
  // The unit goes where the address does not name one.
  if (!namesUnit(url)) source.push(`    unit_id: ${unit}`)
  if (sunspec) source.push('    template: sunspec')
  else source.push('    registers:', ...spans.flatMap(registersIn), `    # ${said.probeTemplates}`)
  return [...source, 'uplinks: []'].join('\n')
}

function namesUnit(url: string): boolean {
  return /^modbus-rtu:/.test(url) ? /[?&]unit=/.test(url) : /^[^/]+\/\/[^/]+\/\d/.test(url)
}

function registersIn({ table, address, count }: Span): readonly string[] {
  const type = table === 'coil' || table === 'discrete-input' ? 'bool' : 'u16'
  return Array.from({ length: Math.min(count, 4) }, (_, n) => {
    const name = `${table.replace('-', '_')}.${address + n}`
    return `      - { name: ${name}, table: ${table}, address: ${address + n}, type: ${type} }`
  })
}
