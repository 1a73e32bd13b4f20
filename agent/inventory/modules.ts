// What the package systeminformation finds beyond /sys: memory modules (with dmidecode, for root), and boards without
// DMI, such as a Raspberry Pi. It costs 10 MB and starts a dozen programs, so `fieldline inventory` calls it in a child.

import type { Host } from '../../core/host.ts'
import { isMap } from '../../core/shape.ts'
import { type Component, type ComponentType, type Fields, fieldsOf, mostOfType, telling } from './component.ts'

/** ms; dmidecode and lscpu answer within one. */
const timeout = 20_000
const maxBytes = 1024 ** 2

const question = 'fieldline inventory'

/** Undefined where it cannot be asked: the machine is not the one that this process runs on. */
export async function askedParts(host: Host, signal: AbortSignal): Promise<readonly Component[] | undefined> {
  const answer = await host.own(['inventory'], { timeout, maxBytes, signal })
  if (answer === undefined) return undefined
  if (answer.status !== 0) throw new Error(`${question}: ended with ${answer.status}: ${answer.stderr}`)
  return parseAnswer(answer.stdout)
}

/** @throws Error where it is not what systeminformation answers. */
export function parseAnswer(bytes: Buffer): readonly Component[] {
  const found = parseJson(bytes)
  const boards = Object.entries(boardFields).flatMap(([key, [type, names]]) => {
    const fields = fieldsAt(found[key], names)
    return Object.keys(fields).length === 0 ? [] : [{ type, place: type, fields }]
  })
  const modules = Array.isArray(found.memLayout) ? found.memLayout.slice(0, mostOfType) : []
  return [...boards, ...modules.flatMap(memoryModule)]
}

function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  const wrong = (cause?: unknown): never => {
    const got = JSON.stringify(bytes.toString('utf8', 0, 60))
    throw new Error(`${question}: expected what systeminformation tells, got ${got}`, { cause })
  }
  let found: unknown
  try {
    found = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    return wrong(cause)
  }
  return isMap(found) && isMap(found.system) && Array.isArray(found.memLayout) ? found : wrong()
}

/** Key of the answer -> what it is, and our field -> its. */
const boardFields: Readonly<Record<string, readonly [ComponentType, Readonly<Record<string, string>>]>> = {
  system: ['system', { vendor: 'manufacturer', model: 'model', version: 'version', serial: 'serial', uuid: 'uuid' }],
  baseboard: ['mainboard', { vendor: 'manufacturer', model: 'model', version: 'version', serial: 'serial' }],
  bios: ['firmware', { vendor: 'vendor', version: 'version', date: 'releaseDate', release: 'revision' }],
}

const moduleFields = {
  vendor: 'manufacturer',
  model: 'partNum',
  serial: 'serialNum',
  technology: 'type',
  form: 'formFactor',
  size: 'size',
}

/** Without a serial or part number it is a guess from the size of the memory, or an empty socket. */
function memoryModule(raw: unknown, n: number): Component[] {
  const fields = fieldsAt(raw, moduleFields)
  if (fields.serial === undefined && fields.model === undefined) return []
  const bank = isMap(raw) && typeof raw.bank === 'string' ? telling(raw.bank) : undefined
  return [{ type: 'memory', place: bank ?? `module ${n}`, fields }]
}

function fieldsAt(raw: unknown, names: Readonly<Record<string, string>>): Fields {
  if (!isMap(raw)) return {}
  const found = Object.entries(names).map(([field, name]) => [field, fieldOf(raw[name])])
  return fieldsOf(Object.fromEntries(found))
}

function fieldOf(value: unknown): string | number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  // What systeminformation says of the machine it runs in when DMI says nothing.
  const text = telling(value.replace(/\p{Cc}/gu, ' ').slice(0, 256))
  return text === 'Docker Container' ? undefined : text
}
