// Modbus RTU: unit, PDU and a checksum (MODBUS over Serial Line V1.02, clauses 2.5.1 and 6.2.2), on a serial line and, by
// many converters, over TCP. Frames end in silence, which neither a converter nor an operating system hands on. So an answer
// ends where its own function says that it ends, and begins where the checksum is then right: noise before, between and
// after answers is skipped byte by byte, and nothing that comes can make the next answer unreadable.

import { identificationHead } from './answer.ts'
import type { Answer, Framing } from './framing.ts'
import { identifyFunction, identifyType } from './pdu.ts'

const mostFrame = 256
const none = Buffer.alloc(0)

export class Rtu implements Framing {
  readonly outstanding = 1
  #rest: Buffer = none

  frame(_transaction: number, unit: number, pdu: Uint8Array): Buffer {
    const bytes = Buffer.allocUnsafe(pdu.length + 3)
    bytes[0] = unit
    bytes.set(pdu, 1)
    bytes.writeUInt16LE(crc16(bytes, 0, pdu.length + 1), pdu.length + 1)
    return bytes
  }

  take(chunk: Buffer, awaited: number | undefined): readonly Answer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const answers: Answer[] = []
    let at = 0
    /** Where the first answer may begin that is not there as a whole. */
    let open: number | undefined
    while (at < bytes.length) {
      const size = frameAt(bytes, at)
      // Behind the beginning of a longer one only the awaited unit is believed: its answer must not wait for bytes that
      // noise has announced.
      if (typeof size === 'number' && (open === undefined || bytes[at] === awaited)) {
        answers.push({
          transaction: undefined,
          unit: bytes[at]!,
          pdu: Buffer.from(bytes.subarray(at + 1, at + size - 2)),
        })
        at += size
        open = undefined
      } else {
        if (size === 'unfinished') open ??= at
        at++
      }
    }
    this.#rest = open === undefined ? none : Buffer.from(bytes.subarray(open))
    return answers
  }

  settle(): void {
    this.#rest = none
  }
}

/** The size of the answer that begins here and has the right checksum. */
function frameAt(bytes: Buffer, at: number): number | 'unfinished' | undefined {
  const size = announced(bytes, at)
  if (size === undefined || size > mostFrame) return undefined
  if (size === 0 || at + size > bytes.length) return 'unfinished'
  return crc16(bytes, at, at + size - 2) === bytes.readUInt16LE(at + size - 2) ? size : undefined
}

/** The size of the answer if one begins here, 0 where too little of it is there to tell; undefined for no answer. */
function announced(bytes: Buffer, at: number): number | undefined {
  if (at + 2 > bytes.length) return 0
  const code = bytes[at + 1]!
  if (code > 0x80) return sizes(code & 0x7f) === undefined ? undefined : 5
  const size = sizes(code)
  if (size === 'listed') return listed(bytes, at)
  if (size !== 'counted') return size
  return at + 2 < bytes.length ? 5 + bytes[at + 2]! : 0
}

/** A device identification: each object has its id, its length and so many bytes (clause 6.21 of the protocol). */
function listed(bytes: Buffer, at: number): number | undefined {
  let end = at + 1 + identificationHead
  if (bytes.length > at + 2 && bytes[at + 2] !== identifyType) return undefined
  if (bytes.length < end) return 0
  for (let left = bytes[end - 1]!; left > 0; left--) {
    if (end - at > mostFrame) return undefined
    if (bytes.length < end + 2) return 0
    end += 2 + bytes[end + 1]!
  }
  return end + 2 - at
}

function sizes(code: number): number | 'counted' | 'listed' | undefined {
  switch (code) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 23:
      return 'counted'
    case 5:
    case 6:
    case 15:
    case 16:
      return 8
    case 22:
      return 10
    case identifyFunction:
      return 'listed'
    default:
      return undefined
  }
}

/** CRC-16 of clause 6.2.2: polynomial 0xA001, from 0xFFFF, the low byte travels first. */
export function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff
  for (let n = from; n < to; n++) crc = (crc >> 8) ^ crcTable[(crc ^ bytes[n]!) & 0xff]!
  return crc
}

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  return crc
})
