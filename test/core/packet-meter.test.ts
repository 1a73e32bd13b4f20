import t from 'tap'
import { packetMeter } from '../../core/packet-meter.ts'

/** A PUBLISH with a body of `length` bytes. */
function packet(length: number): Buffer {
  const head = [0x30]
  let rest = length
  do {
    head.push(rest > 127 ? (rest % 128) | 0x80 : rest)
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0xff)])
}

const stream = Buffer.concat([0, 1, 127, 128, 300, 20_000, 0, 5].map(packet))

t.test('packets up to the limit pass, however the bytes are cut', async t => {
  for (const step of [1, 2, 3, 7, 100, stream.length]) {
    const meter = packetMeter(20_000)
    let told = 0
    for (let at = 0; at < stream.length; at += step) told += meter(stream.subarray(at, at + step))
    t.equal(told, 0)
  }
})

t.test('a longer packet is told by its head alone', async t => {
  for (const step of [1, 3, stream.length]) {
    const meter = packetMeter(19_999)
    const told: number[] = []
    for (let at = 0; at < stream.length && told.length === 0; at += step) {
      const length = meter(stream.subarray(at, at + step))
      if (length > 0) told.push(length)
    }
    t.strictSame(told, [20_000])
  }
})
