import t from 'tap'
import { ProtoReader, ProtoWriter, varintSize } from '../../core/protobuf.ts'

function written(write: (out: ProtoWriter) => void): Uint8Array {
  const out = new ProtoWriter(1)
  write(out)
  return Uint8Array.from(out.finish())
}

t.test('varints of every length survive, and their size is known beforehand', async t => {
  for (let bits = 0; bits <= 53; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits].filter(Number.isSafeInteger)) {
      const bytes = written(out => out.uint(1, value))
      t.equal(bytes.length, 1 + varintSize(value))
      const input = new ProtoReader(bytes)
      t.equal(input.next(), 1)
      t.equal(input.uint(), value)
      t.equal(input.next(), 0)
    }
  }
})

t.test('signed integers are two’s complement', async t => {
  for (const value of [0, 1, -1, 127, 128, -128, 2 ** 53 - 1, 1 - 2 ** 53, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const input = new ProtoReader(written(out => out.int(5, value)))
    t.equal(input.next(), 5)
    t.equal(input.int64(), BigInt(value))
  }
  t.equal(written(out => out.int(1, -1)).length, 11)
})

t.test('fixed numbers survive', async t => {
  const bytes = written(out => {
    out.fixed32(1, 0xfedcba98)
    out.fixed64(2, 1_790_000_000_001_999_999n)
    out.fixed64(3, -5n)
    out.double(4, -1.5e-300)
    out.fixed64(5, 2n ** 64n - 1n)
    out.fixed64(6, 2n ** 40n + 7n)
  })
  const input = new ProtoReader(bytes)
  const read = [
    () => input.fixed32(),
    () => input.fixed64Millis(),
    () => input.sfixed64Number(),
    () => input.double(),
    () => input.fixed64Millis(),
    () => input.fixed64Number(),
  ]
  const values = read.map((value, n) => {
    t.equal(input.next(), n + 1)
    return value()
  })
  t.strictSame(values, [0xfedcba98, 1_790_000_000_001, -5, -1.5e-300, 18_446_744_073_709, 2 ** 40 + 7])
})

t.test('messages inside messages survive at every width of their length', async t => {
  for (const size of [0, 1, 125, 126, 127, 128, 16_383, 16_384, 70_000]) {
    const text = 'x'.repeat(size)
    const bytes = written(out => {
      const outer = out.open(1)
      const inner = out.open(2)
      out.string(3, text)
      out.close(inner)
      out.uint(4, 9)
      out.close(outer)
      out.uint(5, 10)
    })
    const input = new ProtoReader(bytes)
    t.equal(input.next(), 1)
    const outer = input.enter()
    t.equal(input.next(), 2)
    const inner = input.enter()
    t.equal(input.next(), 3)
    t.equal(input.string(), text)
    t.equal(input.next(), 0)
    input.leave(inner)
    t.equal(input.next(), 4)
    t.equal(input.uint(), 9)
    t.equal(input.next(), 0)
    input.leave(outer)
    t.equal(input.next(), 5)
  }
})

t.test('a repeated number reads packed and single, up to the bound given', async t => {
  const packed = written(out => out.bytes(1, Buffer.from(Float64Array.of(1.5, -2).buffer)))
  const single = written(out => {
    out.double(1, 1.5)
    out.double(1, -2)
  })
  for (const bytes of [packed, single]) {
    const values: number[] = []
    const input = new ProtoReader(bytes)
    while (input.next() !== 0) input.repeated(values, 2, 'double')
    t.strictSame(values, [1.5, -2])
    const again = new ProtoReader(bytes)
    t.throws(() => {
      const few: number[] = []
      while (again.next() !== 0) again.repeated(few, 1, 'double')
    }, RangeError)
  }
  const uneven = new ProtoReader(written(out => out.bytes(1, Buffer.alloc(9))))
  uneven.next()
  t.throws(() => uneven.repeated([], 9, 'fixed64'), RangeError)
})

t.test('unknown fields of every wire type are skipped', async t => {
  const bytes = written(out => {
    out.int(1, -1)
    out.fixed64(2, 1n)
    out.string(3, 'x')
    out.fixed32(4, 1)
    out.uint(5, 7)
  })
  const input = new ProtoReader(bytes)
  for (let field = input.next(); field !== 5; field = input.next()) input.skip()
  t.equal(input.uint(), 7)
})

t.test('every truncation and every wrong wire type throws RangeError', async t => {
  const bytes = written(out => {
    out.string(1, 'four')
    out.fixed64(2, 1n)
    out.uint(3, 2 ** 40)
  })
  const readAll = (part: Uint8Array): void => {
    const input = new ProtoReader(part)
    for (let field = input.next(); field !== 0; field = input.next()) input.skip()
  }
  const ends = new Set([0, 6, 15, bytes.length])
  for (let n = 0; n <= bytes.length; n++) {
    if (ends.has(n)) readAll(bytes.subarray(0, n))
    else t.throws(() => readAll(bytes.subarray(0, n)), RangeError, `${n} bytes`)
  }
  const reads = ['uint', 'int64', 'fixed32', 'fixed64Millis', 'double', 'bytes', 'enter'] as const
  for (const name of reads) {
    const group = new ProtoReader(Buffer.from('0bffffffffffffffffffffff', 'hex'))
    group.next()
    t.throws(() => group[name](), RangeError, name)
    t.throws(() => group.skip(), RangeError)
  }
})

t.test('field 0, endless varints and lengths past the window throw RangeError', async t => {
  t.throws(() => new ProtoReader(Uint8Array.of(0)).next(), RangeError)
  const endless = new ProtoReader(Buffer.alloc(20, 0xff))
  t.throws(() => endless.next(), RangeError)
  for (const hex of ['08ffffffffffffffffffff01', '0aff01', '0affffffffffffff7f']) {
    const input = new ProtoReader(Buffer.from(hex, 'hex'))
    input.next()
    t.throws(() => input.skip(), RangeError, hex)
  }
  const inner = new ProtoReader(Buffer.from('0a020aff', 'hex'))
  inner.next()
  inner.enter()
  inner.next()
  t.throws(() => inner.enter(), RangeError)
})
