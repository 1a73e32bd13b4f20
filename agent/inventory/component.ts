// What a host is made of, piece by piece, and how a piece is known again.

import type { Host } from '../../core/host.ts'

/** `hw.type` of the semantic conventions where it has one, else a word like theirs. */
export const types = [
  'system',
  'mainboard',
  'enclosure',
  'firmware',
  'os',
  'cpu',
  'memory',
  'physical_disk',
  'network',
  'gpu',
] as const
export type ComponentType = (typeof types)[number]

/** Only what stays as it is while the piece does: `model`, `serial`, `firmware`, `driver` and so on. */
export type Fields = Readonly<Record<string, string | number>>

export interface Component {
  readonly type: ComponentType
  /** Where it sits: a slot, a bus address or the kernel's name, one piece each. */
  readonly place: string
  readonly fields: Fields
}

/** What tells one piece from another of the same make, the surest first. */
export const identities = ['wwn', 'uuid', 'serial', 'mac'] as const

/** More of one type are not told. */
export const mostOfType = 512
const longest = 256

/** What makers write where they wrote nothing. */
const fillers =
  /^(-|\.+|0+|x+|n\/a|none|null|unknown|unspecified|not (specified|provided|available|applicable|present|set)|default string|o\.?e\.?m\.?|to be filled by o\.?e\.?m\.?|system (product name|manufacturer|version|serial number)|(chassis|base board) serial number|sku|0?123456789|no dimm|no module installed|empty)$/i

/** The text as it counts: without blanks around it, undefined where it says nothing. */
export function telling(text: string): string | undefined {
  const trimmed = text.trim().replace(/\s+/g, ' ')
  return trimmed === '' || fillers.test(trimmed) ? undefined : trimmed
}

/** A file of one line of text; undefined where it is absent or says nothing. @throws Error that names it. */
export function lineOf(host: Host, file: string): string | undefined {
  const bytes = host.read(file)
  return bytes && parseLine(file, bytes)
}

export function parseLine(file: string, bytes: Buffer): string | undefined {
  return telling(parseWord(file, bytes))
}

/** The line as it stands. */
export function parseWord(file: string, bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!isLine(text)) throw new Error(`${file}: expected one line of text, got ${JSON.stringify(text.slice(0, 60))}`)
  return text.trim()
}

function isLine(text: string): boolean {
  return text.length <= longest && /^[^\p{Cc}\ufffd]*\n?$/u.test(text)
}

/** Without what is undefined. */
export function fieldsOf(found: Readonly<Record<string, string | number | undefined>>): Fields {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Fields
}
