// The protobuf wire format (varint, fixed32, fixed64, length-delimited), as far as the envelope and OTLP need it.
// https://protobuf.dev/programming-guides/encoding/
// The reader bounds every length by its own window and throws RangeError on truncated or malformed bytes.

const emptyBytes = new Uint8Array(0)

/** One growing buffer. `finish()` returns a view that lives until the writer is used again; copy what must outlive it. */
export class ProtoWriter {
  buffer: Buffer
  length = 0

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Makes room for `more` bytes at the end. */
  reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + more))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }

  /** A varint of a non-negative safe integer. */
  varint(value: number): void {
    this.reserve(10)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.length++] = rest
  }

  uint(field: number, value: number): void {
    this.varint(field << 3)
    this.varint(value)
  }

  fixed32(field: number, value: number): void {
    this.varint((field << 3) | 5)
    this.reserve(4)
    this.length = this.buffer.writeUInt32LE(value, this.length)
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint((field << 3) | 2)
    this.varint(value.length)
    this.raw(value)
  }

  string(field: number, value: string): void {
    const size = Buffer.byteLength(value)
    this.varint((field << 3) | 2)
    this.varint(size)
    this.reserve(size)
    this.length += this.buffer.write(value, this.length)
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.buffer.set(value, this.length)
    this.length += value.length
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}

/** Walks fields in order: `next()` gives the field number, 0 at the end; then read its value or `skip()` it. */
export class ProtoReader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number
  #wire = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  next(): number {
    if (this.#at >= this.#end) return 0
    const tag = this.#varint()
    this.#wire = tag & 7
    const field = Math.floor(tag / 8)
    if (field === 0) throw new RangeError('protobuf: field number 0')
    return field
  }

  uint(): number {
    this.#expect(0)
    return this.#varint()
  }

  fixed32(): number {
    this.#expect(5)
    const at = this.#take(4)
    const b = this.#bytes
    return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    this.#expect(2)
    const length = this.#varint()
    const at = this.#take(length)
    return length === 0 ? emptyBytes : this.#bytes.subarray(at, at + length)
  }

  string(): string {
    return Buffer.from(this.bytes()).toString('utf8')
  }

  skip(): void {
    if (this.#wire === 0) this.#varint()
    else if (this.#wire === 1) this.#take(8)
    else if (this.#wire === 2) this.#take(this.#varint())
    else if (this.#wire === 5) this.#take(4)
    else throw new RangeError(`protobuf: wire type ${this.#wire}`)
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw new RangeError(`protobuf: wire type ${this.#wire} where ${wire} belongs`)
  }

  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#end) throw new RangeError('protobuf: truncated')
    this.#at = at + length
    return at
  }

  /** Up to 2^53 exactly; longer ones throw. */
  #varint(): number {
    let value = 0
    let scale = 1
    for (let n = 0; n < 8; n++) {
      const byte = this.#bytes[this.#take(1)]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('protobuf: varint above 2^53')
        return value
      }
      scale *= 128
    }
    throw new RangeError('protobuf: varint too long')
  }
}
