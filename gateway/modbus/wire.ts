// What carries the bytes of a line: a socket or a serial port, open or gone.

export interface Wire {
  send(bytes: Buffer): void
  /** Nothing is heard afterwards. Safe twice. */
  close(): void
}

export interface Heard {
  /** The bytes are good until it returns. */
  data(chunk: Buffer): void
  /** The other side is gone; called once, and not after `close`. */
  gone(why: Error): void
}

/** Resolves when bytes can be sent. `timeout` ms to wait for that. */
export type OpenWire = (heard: Heard, timeout: number) => Promise<Wire>
