// What a device says of itself: function 43/14 (MODBUS Application Protocol V1.1b3, clause 6.21). The answer may come in
// parts, each naming the object that the next begins with.

import type { Identify } from './pdu.ts'

/** Objects 0 to 6 (clause 6.21, table of object ids). */
const names = ['vendor', 'product_code', 'revision', 'vendor_url', 'product_name', 'model', 'application'] as const
export type IdentityKey = (typeof names)[number]
export type Identity = Partial<Record<IdentityKey, string>>

/** A device that always has more is asked no further. */
const mostParts = 8

/** @throws where the device refuses, does not answer, or answers something else. */
export async function identityOf(link: { identify(request: Identify): Promise<Buffer> }): Promise<Identity> {
  const all: Identity = {}
  let object: number | undefined = 0
  for (let part = 0; part < mostParts && object !== undefined; part++) {
    const { found, next } = parsePart(await link.identify({ identify: 'regular', object }))
    Object.assign(all, found)
    object = next !== undefined && next > object ? next : undefined
  }
  return all
}

/** `bytes` begin with the level. @throws Error for objects that reach past the answer. */
export function parsePart(bytes: Buffer): { readonly found: Identity; readonly next: number | undefined } {
  const found: Identity = {}
  const count = bytes[4] ?? 0
  let at = 5
  for (let n = 0; n < count; n++) {
    const end = at + 2 + (bytes[at + 1] ?? 0)
    if (at + 2 > bytes.length || end > bytes.length) throw new Error('a device identification reaches past its answer')
    const name = names[bytes[at]!]
    if (name !== undefined) found[name] = printable(bytes.subarray(at + 2, end))
    at = end
  }
  return { found, next: bytes[2] === 0xff ? bytes[3] : undefined }
}

function printable(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/\p{Cc}/gu, '')
    .trim()
}
