// The frames of MLLP (HL7 v3 Transport Specification: MLLP, release 1): VT, a message, FS, CR. Pure: chunks of any size
// in, whole messages out.
//
// What senders leave out is read by rule. The CR behind FS may be missing or be LF. A frame whose FS is missing ends where
// the next VT follows a segment's end; where the next VT comes in the middle of a segment and a message begins behind it,
// the frame was cut off and is dropped: its sender will send it again. Bytes between frames are noise, passed over and
// counted. UTF-16 may have the bytes of VT and FS within its characters: there only FS CR at an even place ends a frame.

import { wideOrder } from './charset.ts'

const [vt, fs, cr, lf] = [0x0b, 0x1c, 0x0d, 0x0a]
/** What is kept of a message that is too large, for an answer. */
const beginning = 4096
const smallStore = 16_384

export interface Frame {
  readonly bytes: Buffer
  /** `bytes` is only the beginning: the message is larger than allowed. */
  readonly tooLarge?: true
}

/** The bytes of a frame around a message. */
export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(vt), message, Buffer.of(fs, cr)])
}

export class Framer {
  /** Bytes outside frames so far, line ends apart. */
  noise = 0
  /** Frames that were cut off so far. */
  cut = 0
  /** Whether any frame had its FS. */
  hasEnds = false
  readonly #most: number
  #store = Buffer.alloc(0)
  #from = 0
  #to = 0
  #inside = false
  /** Of the frame: up to here there is no end. */
  #scanned = 0
  /** The rest of a frame that is too large goes by. */
  #skipping = false

  constructor(mostBytes: number) {
    this.#most = mostBytes
  }

  /** Something of a frame came, and its end did not. */
  get isInside(): boolean {
    return this.#inside && (this.#skipping || this.#to > this.#from)
  }

  *push(chunk: Buffer): Generator<Frame> {
    this.#append(chunk)
    for (let found = this.#next(); found !== 'nothing'; found = this.#next()) if (found !== 'passed') yield found
  }

  /** Nothing more comes: the frame begun, where it ends as a message does; else it counts as cut off. */
  finish(): Frame | undefined {
    const view = this.#view()
    const isWhole = !this.#skipping && isLineEnd(view.at(-1))
    const frame = this.isInside && isWhole ? { bytes: Buffer.from(view) } : undefined
    if (this.isInside && frame === undefined && !this.#skipping) this.cut++
    this.#begin(false, view.length)
    return frame
  }

  #view(): Buffer {
    return this.#store.subarray(this.#from, this.#to)
  }

  #append(chunk: Buffer): void {
    const held = this.#to - this.#from
    if (this.#to + chunk.length > this.#store.length) {
      const room = Math.max(smallStore, (held + chunk.length) * 2)
      const store = held + chunk.length > this.#store.length ? Buffer.allocUnsafeSlow(room) : this.#store
      this.#store.copy(store, 0, this.#from, this.#to)
      this.#store = store
      this.#from = 0
      this.#to = held
    }
    chunk.copy(this.#store, this.#to)
    this.#to += chunk.length
  }

  /** Drops `count` bytes and begins to look for a frame, or for a frame's end. */
  #begin(inside: boolean, count: number): void {
    this.#from += count
    this.#inside = inside
    this.#scanned = 0
    this.#skipping = false
    if (this.#from < this.#to) return
    this.#from = 0
    this.#to = 0
    if (this.#store.length > smallStore) this.#store = Buffer.alloc(0)
  }

  #next(): Frame | 'passed' | 'nothing' {
    const view = this.#view()
    if (!this.#inside) return this.#look(view)
    const end = this.#endOf(view)
    if (end === undefined) return this.#wait(view)
    const { at, length, isCut } = end
    const skipped = this.#skipping
    const tooLarge = at > this.#most
    const bytes = Buffer.from(view.subarray(0, tooLarge ? beginning : at))
    this.#begin(view[at] === vt, length)
    if (isCut) this.cut++
    if (at === 0 || skipped || isCut) return 'passed'
    return tooLarge ? { bytes, tooLarge } : { bytes }
  }

  /** For a frame's beginning. */
  #look(view: Buffer): 'passed' | 'nothing' {
    const at = view.indexOf(vt)
    const passed = at < 0 ? view : view.subarray(0, at)
    for (const byte of passed) if (!isLineEnd(byte)) this.noise++
    this.#begin(at >= 0, passed.length + (at < 0 ? 0 : 1))
    return at < 0 ? 'nothing' : 'passed'
  }

  /** For more of a frame that has no end yet. */
  #wait(view: Buffer): Frame | 'nothing' {
    if (this.#skipping) {
      this.#from = Math.max(this.#from, this.#to - 4)
      this.#scanned = 0
      return 'nothing'
    }
    if (view.length <= this.#most) return 'nothing'
    const bytes = Buffer.from(view.subarray(0, beginning))
    this.#skipping = true
    return { bytes, tooLarge: true }
  }

  #endOf(view: Buffer): End | undefined {
    return wideOrder(view) === undefined ? this.#narrowEnd(view) : this.#wideEnd(view)
  }

  #narrowEnd(view: Buffer): End | undefined {
    const end = view.indexOf(fs, this.#scanned)
    const searched = view.subarray(0, end < 0 ? view.length : end)
    for (let at = searched.indexOf(vt, this.#scanned); at >= 0; at = searched.indexOf(vt, at + 1)) {
      const begins = view.toString('latin1', at + 1, at + 4)
      const isLone = at === 0 ? !this.#skipping : isLineEnd(view[at - 1])
      const isStart = isLone || /^(MSH|FHS|BHS)$/.test(begins)
      if (isStart) return { at, length: at + 1, isCut: !isLone && !this.#skipping }
      if (begins.length < 3 && end < 0) {
        this.#scanned = at
        return undefined
      }
    }
    this.#scanned = searched.length
    if (end < 0) return undefined
    this.hasEnds = true
    return { at: end, length: end + 1, isCut: false }
  }

  #wideEnd(view: Buffer): End | undefined {
    for (let at = view.indexOf(fs, this.#scanned); at >= 0; at = view.indexOf(fs, at + 1)) {
      this.#scanned = at
      if (at + 1 === view.length) return undefined
      if (at % 2 === 0 && view[at + 1] === cr) {
        this.hasEnds = true
        return { at, length: at + 2, isCut: false }
      }
    }
    this.#scanned = view.length
    return undefined
  }
}

interface End {
  /** Where it is: how long the message is. */
  readonly at: number
  /** With the bytes that make the end. */
  readonly length: number
  readonly isCut: boolean
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === cr || byte === lf
}
