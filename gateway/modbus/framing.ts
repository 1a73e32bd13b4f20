// How PDUs travel over one kind of connection. Pure: bytes in, whole answers out.

export interface Answer {
  /** Which request it answers; undefined where the transport does not tell. */
  readonly transaction: number | undefined
  readonly unit: number
  readonly pdu: Buffer
}

export interface Framing {
  /** How many requests may be under way at once. */
  readonly outstanding: number
  /** The bytes of one request. */
  frame(transaction: number, unit: number, pdu: Uint8Array): Buffer
  /**
   * The whole answers in what has come; the rest is kept for the next call, never more than one frame. Does not keep `chunk`.
   * `awaited`: whose answer is expected.
   * @throws OutOfStep when no later byte can be understood any more.
   */
  take(chunk: Buffer, awaited: number | undefined): readonly Answer[]
  /**
   * Called before a request is sent while nothing is under way, and when an answer did not come in time.
   * @throws OutOfStep when there is a piece of an answer, which may still go on.
   */
  settle(): void
}

/** The bytes that come can no longer be told apart into answers: only a new connection helps. */
export class OutOfStep extends Error {
  override readonly name = 'OutOfStep'
}
