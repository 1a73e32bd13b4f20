// Patients and visits under other names: HMAC-SHA-256 (RFC 2104) of the identifier, under a key that only the gateway
// has. The same patient is the same name as long as the key lasts, and nobody without the key finds the patient from it.
//
// Key file: one key a line, `DATE HEX`: the day (UTC) from which it names, and at least 32 bytes in hex. Lines that
// begin with # are comments. The date without its hyphens stands before the name, `20261101-...`: whoever reads a name
// knows its key. Rotating is adding a line; a key is still read for `overlap` after the next one took over, so that who
// lies in a bed since last month is still known there.

import { createHmac } from 'node:crypto'
import { Refused } from '../../core/errors.ts'
import { own } from './own.ts'

interface Key {
  readonly id: string
  /** From when it names, ms since the epoch. */
  readonly from: number
  readonly secret: Buffer
  /** Made so far. */
  readonly names: Map<string, string>
}

export interface Pseudonyms {
  /** The name under the key of this moment; undefined before the first key's day. */
  of(kind: Kind, identifier: string, now: number): string | undefined
  /** That name first, then those under keys that are still read. */
  all(kind: Kind, identifier: string, now: number): readonly string[]
}

export const kinds = ['patient', 'visit', 'alert'] as const
export type Kind = (typeof kinds)[number]

const line = /^(\d{4})-(\d{2})-(\d{2})[ \t]+([0-9A-Fa-f]{64,})$/

/** @throws Refused naming the line of the file, never what stands there. */
export function readKeys(text: string, overlap: number): Pseudonyms {
  const keys: Key[] = []
  for (const [n, raw] of text.split(/\r?\n/).entries()) {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    keys.push(readKey(trimmed, n + 1))
  }
  if (keys.length === 0) throw new Refused('key_file holds no key; a line is a date and at least 64 hex digits')
  keys.sort((a, b) => b.from - a.from)
  if (new Set(keys.map(k => k.id)).size < keys.length) throw new Refused('key_file has two keys of the same day')
  return pseudonyms(keys, overlap)
}

function readKey(text: string, n: number): Key {
  const m = line.exec(text)
  const from = m === null ? Number.NaN : Date.parse(`${m[1]}-${m[2]}-${m[3]}T00:00:00Z`)
  if (m === null || Number.isNaN(from) || m[4]!.length % 2 === 1)
    throw new Refused(`key_file, line ${n}: expected a date and at least 64 hex digits, such as 2026-11-01 5f3a...`)
  return { id: `${m[1]}${m[2]}${m[3]}`, from, secret: Buffer.from(m[4]!, 'hex'), names: new Map() }
}

/** `keys`: newest first. */
function pseudonyms(keys: readonly Key[], overlap: number): Pseudonyms {
  /** Those that name or are read at a moment, the naming one first. */
  const read = (now: number): readonly Key[] => {
    const current = keys.findIndex(k => k.from <= now)
    if (current < 0) return []
    return keys.filter((_, n) => n === current || (n > current && now < keys[n - 1]!.from + overlap))
  }
  const all: Pseudonyms['all'] = (kind, identifier, now) => read(now).map(key => name(key, kind, identifier))
  return { all, of: (kind, identifier, now) => all(kind, identifier, now)[0] }
}

/** Names of one key that are remembered: a message a second names the same patient. */
const most = 10_000

/** 120 bits, so that among a million names two are alike with a chance of 4e-25. */
function name({ id, secret, names }: Key, kind: Kind, identifier: string): string {
  const text = `${kind}\0${identifier}`
  const known = names.get(text)
  if (known !== undefined) return known
  const mac = createHmac('sha256', secret).update(text).digest()
  const made = `${id}-${mac.subarray(0, 15).toString('base64url')}`
  if (names.size >= most) names.clear()
  names.set(own(text), made)
  return made
}
