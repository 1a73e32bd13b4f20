// The newest metrics payload beside its bytes from before compression, for uplinks that compress it in another way. Opening
// it again would cost 50 us and, above all, 100 KB of garbage each time: 2 MB of RSS (Node 24's zstdDecompressSync).

import { mostBase } from '../core/base.ts'

export class Fresh {
  #payload: Uint8Array = new Uint8Array(0)
  #buffer = Buffer.alloc(0)
  #length = 0

  /** Copies the bytes. What is too large for a base is of no use. */
  put(payload: Uint8Array, bytes: Uint8Array): void {
    if (payload.length > mostBase.payload || bytes.length > mostBase.opened) return
    if (bytes.length > this.#buffer.length) this.#buffer = Buffer.alloc(bytes.length)
    this.#buffer.set(bytes)
    this.#length = bytes.length
    this.#payload = payload
  }

  /** The bytes if the payload is the newest one; they live until the next `put`. */
  get(payload: Uint8Array): Uint8Array | undefined {
    const isNewest = payload.length > 0 && Buffer.compare(payload, this.#payload) === 0
    return isNewest ? this.#buffer.subarray(0, this.#length) : undefined
  }
}
