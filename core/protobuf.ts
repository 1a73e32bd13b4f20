// The protobuf wire format (varint, fixed32, fixed64, length-delimited), as far as the envelope, OTLP and Sparkplug need it.
// https://protobuf.dev/programming-guides/encoding/
// The reader bounds every length by its own window and throws RangeError on truncated or malformed bytes.

const emptyBytes = new Uint8Array(0)

/** Bytes that `value`, a non-negative safe integer, takes as a varint. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

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

  #wideVarint(value: bigint): void {
    this.reserve(10)
    let rest = value
    for (; rest >= 0x80n; rest >>= 7n) this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80
    this.buffer[this.length++] = Number(rest)
  }

  uint(field: number, value: number): void {
    this.varint(field << 3)
    this.varint(value)
  }

  /** int64 as a varint: two's complement, so ten bytes when negative. */
  int(field: number, value: number | bigint): void {
    this.varint(field << 3)
    if (value >= 0 && typeof value === 'number') this.varint(value)
    else this.#wideVarint(BigInt.asUintN(64, BigInt(value)))
  }

  fixed32(field: number, value: number): void {
    this.varint((field << 3) | 5)
    this.reserve(4)
    this.length = this.buffer.writeUInt32LE(value, this.length)
  }

  /** fixed64 and sfixed64: the low 64 bits of `value`. */
  fixed64(field: number, value: bigint): void {
    this.varint((field << 3) | 1)
    this.reserve(8)
    this.length = this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.length)
  }

  double(field: number, value: number): void {
    this.varint((field << 3) | 1)
    this.reserve(8)
    this.length = this.buffer.writeDoubleLE(value, this.length)
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

  /** Begins a message inside this one; what it returns goes to `close`. */
  open(field: number): number {
    this.varint((field << 3) | 2)
    this.reserve(1)
    return ++this.length
  }

  /** Ends it: one byte was left for its length, so a message of 128 bytes and more moves up to make room. */
  close(start: number): void {
    const size = this.length - start
    const wide = varintSize(size) - 1
    if (wide > 0) {
      this.reserve(wide)
      this.buffer.copyWithin(start + wide, start, this.length)
    }
    this.length = start - 1
    this.varint(size)
    this.length += size
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
  readonly #view: DataView
  #at: number
  #end: number
  #fieldAt = 0
  #wire = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = start
    this.#end = end
  }

  /** Where the next byte lies. */
  get at(): number {
    return this.#at
  }

  /** Where the field at hand began, its tag included. */
  get fieldAt(): number {
    return this.#fieldAt
  }

  next(): number {
    if (this.#at >= this.#end) return 0
    this.#fieldAt = this.#at
    const tag = this.#varint()
    this.#wire = tag & 7
    const field = tag < 0x80 ? tag >> 3 : Math.floor(tag / 8)
    if (field === 0) throw new RangeError('protobuf: field number 0')
    return field
  }

  uint(): number {
    this.#expect(0)
    return this.#varint()
  }

  /** int64 of a varint. */
  int64(): bigint {
    this.#expect(0)
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new RangeError('protobuf: varint too long')
  }

  fixed32(): number {
    this.#expect(5)
    return this.#view.getUint32(this.#take(4), true)
  }

  /** fixed64 as the nearest number. */
  fixed64Number(): number {
    this.#expect(1)
    const at = this.#take(8)
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 4294967296
  }

  /** sfixed64 as the nearest number. */
  sfixed64Number(): number {
    this.#expect(1)
    const at = this.#take(8)
    return this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * 4294967296
  }

  /** fixed64 nanoseconds since the epoch as whole milliseconds, rounded down; exact for every value. */
  fixed64Millis(): number {
    this.#expect(1)
    const at = this.#take(8)
    const high = this.#view.getUint32(at + 4, true)
    // 2^32 ns are 4294 ms and 967296 ns; the sum stays below 2^53.
    return high * 4294 + Math.floor((high * 967296 + this.#view.getUint32(at, true)) / 1e6)
  }

  float(): number {
    this.#expect(5)
    return this.#view.getFloat32(this.#take(4), true)
  }

  double(): number {
    this.#expect(1)
    return this.#view.getFloat64(this.#take(8), true)
  }

  /** A repeated fixed64 or double, packed or single, at the end of `into`, which then holds at most `most`. */
  repeated(into: number[], most: number, kind: 'fixed64' | 'double'): void {
    const length = this.#wire === 1 ? 8 : this.#size()
    if (length % 8 !== 0) throw new RangeError(`protobuf: ${length} bytes of numbers of 8 bytes`)
    if (into.length + length / 8 > most) throw new RangeError(`protobuf: more than ${most} numbers in a list`)
    const start = this.#take(length)
    for (let at = start; at < start + length; at += 8) {
      if (kind === 'double') into.push(this.#view.getFloat64(at, true))
      else into.push(this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 4294967296)
    }
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.#size()
    const at = this.#take(length)
    return length === 0 ? emptyBytes : this.#bytes.subarray(at, at + length)
  }

  string(): string {
    const b = this.bytes()
    return Buffer.from(b.buffer, b.byteOffset, b.length).toString('utf8')
  }

  /** Steps into the message at hand: `next()` gives its fields from here on. What it returns goes to `leave`. */
  enter(): number {
    const outer = this.#end
    const length = this.#size()
    if (length > outer - this.#at) throw new RangeError('protobuf: truncated')
    this.#end = this.#at + length
    return outer
  }

  /** Behind the message that `enter` stepped into. */
  leave(outer: number): void {
    this.#at = this.#end
    this.#end = outer
  }

  /** Back to `at`, an earlier place in the message at hand. */
  rewind(at: number): void {
    this.#at = at
  }

  skip(): void {
    if (this.#wire === 0) this.#skipVarint()
    else if (this.#wire === 1) this.#take(8)
    else if (this.#wire === 2) this.#take(this.#varint())
    else if (this.#wire === 5) this.#take(4)
    else throw new RangeError(`protobuf: wire type ${this.#wire}`)
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw new RangeError(`protobuf: wire type ${this.#wire} where ${wire} belongs`)
  }

  #size(): number {
    this.#expect(2)
    return this.#varint()
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw new RangeError('protobuf: truncated')
    this.#at = at + length
    return at
  }

  #skipVarint(): void {
    for (let n = 0; n < 10; n++) if (this.#bytes[this.#take(1)]! < 0x80) return
    throw new RangeError('protobuf: varint too long')
  }

  /** Up to 2^53 exactly; longer ones throw. */
  #varint(): number {
    const first = this.#bytes[this.#take(1)]!
    if (first < 0x80) return first
    let value = first & 0x7f
    let scale = 128
    for (let n = 1; n < 8; n++) {
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
