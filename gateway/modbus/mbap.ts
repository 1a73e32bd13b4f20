// Modbus TCP: each PDU behind a header of seven bytes (MODBUS Messaging on TCP/IP Implementation Guide V1.0b, clause 3.1.3):
// transaction, protocol 0, length of what follows, unit. The length is all that tells answers apart, so a header that
// cannot be true, or an answer that stops half way, leaves nothing to go by: the connection is given up.

import { type Answer, type Framing, OutOfStep } from './framing.ts'

const headerSize = 7
/** A PDU has at most 253 bytes (MODBUS Application Protocol V1.1b3, clause 4.1), the length counts the unit, too. */
const mostLength = 254
const mostOutstanding = 16
const none = Buffer.alloc(0)

export class Mbap implements Framing {
  readonly outstanding = mostOutstanding
  #rest: Buffer = none

  frame(transaction: number, unit: number, pdu: Uint8Array): Buffer {
    const bytes = Buffer.allocUnsafe(headerSize + pdu.length)
    bytes.writeUInt16BE(transaction, 0)
    bytes.writeUInt16BE(0, 2)
    bytes.writeUInt16BE(pdu.length + 1, 4)
    bytes[6] = unit
    bytes.set(pdu, headerSize)
    return bytes
  }

  take(chunk: Buffer): readonly Answer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const answers: Answer[] = []
    let at = 0
    while (bytes.length - at >= headerSize) {
      const end = at + headerSize - 1 + lengthAt(bytes, at)
      if (end > bytes.length) break
      const pdu = Buffer.from(bytes.subarray(at + headerSize, end))
      answers.push({ transaction: bytes.readUInt16BE(at), unit: bytes[at + 6]!, pdu })
      at = end
    }
    this.#rest = at === bytes.length ? none : Buffer.from(bytes.subarray(at))
    return answers
  }

  settle(): void {
    if (this.#rest.length > 0)
      throw new OutOfStep(`the device left an answer unfinished after ${this.#rest.length} bytes`)
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  const protocol = bytes.readUInt16BE(at + 2)
  const length = bytes.readUInt16BE(at + 4)
  if (protocol !== 0) throw new OutOfStep(`the device sends what is not Modbus TCP: protocol ${protocol}`)
  if (length === 0 || length > mostLength)
    throw new OutOfStep(`the device announces an answer of ${length} bytes; Modbus has 1 to ${mostLength}`)
  return length
}
