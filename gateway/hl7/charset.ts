// Character sets of HL7 v2 messages: MSH-18, table 0211 (v2.8.2, clause 2.14.9.18), by the decoders of the platform.
// Whatever a message claims, its bytes decide: text that cannot be what it is said to be is read by rule, and told apart.

import { isAscii, isUtf8 } from 'node:buffer'

export interface Charset {
  /** The first repetition of MSH-18 as it stands, empty where there is none. */
  readonly said: string
  /** What the bytes were read as: a label of the WHATWG Encoding Standard. */
  readonly used: string
  /** Whether they were read as what was said; false where that is unknown or the bytes contradict it. */
  readonly asSaid: boolean
}

const labels: Readonly<Record<string, string>> = {
  ASCII: 'ascii',
  'ISO IR6': 'ascii',
  'ISO IR14': 'shift_jis',
  'ISO IR87': 'iso-2022-jp',
  'ISO IR159': 'iso-2022-jp',
  GB18030: 'gb18030',
  'GB 18030': 'gb18030',
  'GB 18030-2000': 'gb18030',
  'KS X 1001': 'euc-kr',
  'BIG-5': 'big5',
  UNICODE: 'utf-8',
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  'UNICODE UTF-16': 'utf-16le',
  'UTF-16': 'utf-16le',
}

/** What messages that are not what they say, or say nothing, are read as when they are not UTF-8 either. */
const lastResort = 'windows-1252'

/** The decoder's label for a name of table 0211, as senders spell them; undefined where it is unknown. */
export function labelOf(said: string): string | undefined {
  const name = said.trim().toUpperCase()
  const part = /^(?:ISO[ -]?)?8859[/-](\d{1,2})$/.exec(name)?.[1]
  if (part !== undefined) return Number(part) <= 16 && part !== '12' && part !== '0' ? `iso-8859-${part}` : undefined
  return labels[name.replace(/^UNICODE UTF(\d)/, 'UNICODE UTF-$1')]
}

/** Which of the two orders of UTF-16 the bytes are in, going by how `MSH` lies in their beginning. */
export function wideOrder(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const beginning = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 128)).toString('latin1')
  if (beginning.startsWith('MSH')) return undefined
  const at = beginning.search(/M\0S\0H/)
  if (at < 0) return undefined
  return at % 2 === 0 ? 'utf-16le' : 'utf-16be'
}

/** `fallback` stands in for what the message does not say. */
export function decode(bytes: Buffer, said: string, fallback: string): { text: string; charset: Charset } {
  const wide = wideOrder(bytes)
  const label = labelOf(said === '' ? fallback : said)
  if (wide !== undefined) return read(bytes, said, wide, label === undefined || label === 'utf-16le')
  if (isAscii(bytes) && label !== 'iso-2022-jp')
    return {
      text: bytes.toString('latin1'),
      charset: { said, used: label ?? 'ascii', asSaid: said === '' || label !== undefined },
    }
  if (label !== undefined && label !== 'ascii' && label !== 'utf-16le' && isIn(bytes, label))
    return read(bytes, said, label, true)
  return read(bytes, said, isUtf8(bytes) ? 'utf-8' : lastResort, said === '')
}

function read(bytes: Buffer, said: string, used: string, asSaid: boolean): { text: string; charset: Charset } {
  return { text: textOf(bytes, used), charset: { said, used, asSaid } }
}

/** Byte order marks stay: they are the message's. */
export function textOf(bytes: Buffer, label: string): string {
  if (label === 'utf-8' || label === 'utf-16le' || label === 'latin1') return bytes.toString(label)
  return new TextDecoder(label, { ignoreBOM: true }).decode(bytes)
}

function isIn(bytes: Buffer, label: string): boolean {
  if (label === 'utf-8') return isUtf8(bytes)
  try {
    new TextDecoder(label, { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** The bytes of a text; what the character set does not have becomes a question mark. */
export function encode(text: string, label: string): Buffer {
  if (label === 'utf-8' || label === 'utf-16le') return Buffer.from(text, label)
  if (label === 'utf-16be') return Buffer.from(text, 'utf16le').swap16()
  const known = tableOf(label)
  return Buffer.concat(Array.from(text, one => known.get(one) ?? question))
}

const question = Buffer.from('?')
const tables = new Map<string, ReadonlyMap<string, Buffer>>()

/** Node decodes these sets and does not encode them: every byte and pair of bytes is asked for once. */
function tableOf(label: string): ReadonlyMap<string, Buffer> {
  const known = tables.get(label)
  if (known !== undefined) return known
  const made = new Map<string, Buffer>()
  const decoder = new TextDecoder(label === 'ascii' ? 'utf-8' : label, { fatal: true, ignoreBOM: true })
  const learn = (...bytes: number[]): void => {
    const one = attempt(decoder, bytes)
    if (one !== undefined && [...one].length === 1 && !made.has(one)) made.set(one, Buffer.from(bytes))
  }
  for (let a = 0; a < 256; a++) learn(a)
  if (!/^(ascii|iso-8859|windows)/.test(label))
    for (let a = 0x81; a < 0xff; a++) for (let b = 0x40; b < 0xff; b++) learn(a, b)
  tables.set(label, made)
  return made
}

function attempt(decoder: TextDecoder, bytes: readonly number[]): string | undefined {
  try {
    return decoder.decode(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}
