// Reads the records of an SQLite database without SQLite and without its b-tree: every leaf page that still looks like
// one gives its cells. Who uses them checks the seals. Pure over an image of pages.
// Format: https://www.sqlite.org/fileformat2.html, clauses 1.5 (freelist), 1.6 (b-tree pages), 2.1 (records).

import { pageSize } from './tables.ts'

export interface Image {
  readonly pages: number
  /** Page numbers begin at 1; undefined where nothing can be read. */
  page(n: number): Buffer | undefined
}

export type Value = number | string | Uint8Array | null

export interface Entry {
  readonly rowid: number
  readonly values: readonly Value[]
}

const leaf = 0x0d
const interior = 0x05
/** The schema and one root a table, made first and never moved. */
const roots = 6
/** Larger than any envelope. */
const maxRecord = 64 * 1024 * 1024

/** Of the pages in use: a freelist may itself be damaged, and a page that the b-tree names is not free. */
export function* entries(image: Image): Generator<Entry> {
  const free = freePages(image)
  for (const named of [...children(image, free)]) free.delete(named)
  for (let n = 1; n <= image.pages; n++) if (n <= roots || !free.has(n)) yield* cells(image, n)
}

/** The pages that interior pages in use point to. */
function* children(image: Image, free: ReadonlySet<number>): Generator<number> {
  for (let n = 2; n <= image.pages; n++) {
    const page = free.has(n) ? undefined : image.page(n)
    if (page === undefined || page[0] !== interior) continue
    yield page.readUInt32BE(8)
    const count = Math.min(page.readUInt16BE(3), (pageSize - 12) >> 1)
    for (let i = 0; i < count; i++) {
      const at = page.readUInt16BE(12 + 2 * i)
      if (at <= pageSize - 4) yield page.readUInt32BE(at)
    }
  }
}

/** Pages on the freelist hold what was erased; none if the list itself does not hold together. */
function freePages(image: Image): Set<number> {
  const free = new Set<number>()
  const header = image.page(1)
  const count = header?.readUInt32BE(36) ?? 0
  let trunk = header?.readUInt32BE(32) ?? 0
  while (trunk !== 0) {
    const page = image.page(trunk)
    const leaves = page?.readUInt32BE(4) ?? Number.POSITIVE_INFINITY
    if (page === undefined || free.has(trunk) || leaves > pageSize / 4 - 2) return new Set()
    free.add(trunk)
    for (let i = 0; i < leaves; i++) free.add(page.readUInt32BE(8 + 4 * i))
    trunk = page.readUInt32BE(0)
  }
  return free.size === count ? free : new Set()
}

function* cells(image: Image, n: number): Generator<Entry> {
  // A copy: the image may reuse its buffer while a chain of overflow pages is followed.
  const found = image.page(n)
  const start = n === 1 ? 100 : 0
  if (found === undefined || found[start] !== leaf) return
  const page = Buffer.from(found)
  const count = Math.min(page.readUInt16BE(start + 3), (pageSize - start - 8) >> 1)
  for (let i = 0; i < count; i++) {
    const entry = cell(image, page, page.readUInt16BE(start + 8 + 2 * i))
    if (entry !== undefined) yield entry
  }
}

function cell(image: Image, page: Buffer, at: number): Entry | undefined {
  const bytes = new Cursor(page, at)
  const size = bytes.varint()
  const rowid = bytes.varint()
  if (size === 0 || size > maxRecord || !Number.isSafeInteger(rowid)) return undefined
  const local = localSize(size)
  if (bytes.at + local + (local < size ? 4 : 0) > pageSize) return undefined
  const head = page.subarray(bytes.at, bytes.at + local)
  if (local === size) return { rowid, values: record(head) }
  return { rowid, values: record(withOverflow(image, head, page.readUInt32BE(bytes.at + local), size)) }
}

/** Clause 1.6: how much of a record of this size stays on a table leaf. */
function localSize(size: number): number {
  const most = pageSize - 35
  if (size <= most) return size
  const least = Math.floor(((pageSize - 12) * 32) / 255) - 23
  const rest = least + ((size - least) % (pageSize - 4))
  return rest <= most ? rest : least
}

/** The whole record, or what of it can be reached: the columns in front of a lost payload still tell what was lost. */
function withOverflow(image: Image, head: Buffer, first: number, size: number): Buffer {
  const parts = [Buffer.from(head)]
  let missing = size - head.length
  for (let next = first; missing > 0 && next !== 0; ) {
    const page = image.page(next)
    if (page === undefined) break
    parts.push(Buffer.from(page.subarray(4, 4 + Math.min(missing, pageSize - 4))))
    missing -= pageSize - 4
    next = page.readUInt32BE(0)
  }
  return Buffer.concat(parts)
}

function record(bytes: Buffer): Value[] {
  const header = new Cursor(bytes, 0)
  const end = header.varint()
  const body = new Cursor(bytes, end)
  const values: Value[] = []
  while (header.at < end && header.at < bytes.length && values.length < 32) values.push(body.value(header.varint()))
  return values
}

/** Reads past the end give zeros and short values; a seal will not match them. */
class Cursor {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  varint(): number {
    let value = 0
    for (let n = 0; n < 8; n++) {
      const byte = this.#bytes[this.at++] ?? 0
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return value * 256 + (this.#bytes[this.at++] ?? 0)
  }

  /** Clause 2.1: serial types. Reals are read as null: no table here has one. */
  value(type: number): Value {
    if (type === 8 || type === 9) return type - 8
    if (type >= 1 && type <= 6) return this.#integer([1, 2, 3, 4, 6, 8][type - 1]!)
    if (type >= 12) return this.#text(Math.floor((type - 12) / 2), type % 2 === 1)
    return null
  }

  #integer(size: number): number {
    let value = ((this.#bytes[this.at] ?? 0) << 24) >> 24
    for (let n = 1; n < size; n++) value = value * 256 + (this.#bytes[this.at + n] ?? 0)
    this.at += size
    return value
  }

  #text(size: number, isText: boolean): Value {
    const bytes = this.#bytes.subarray(this.at, this.at + size)
    this.at += size
    return isText ? bytes.toString('utf8') : bytes
  }
}
