// Splits what a long-lived `nvidia-smi -q -x -l N` prints into its documents. What stands outside of them is what the
// program has to say of devices that it cannot ask.

export interface Printed {
  /** Lines outside of any document since the one before. */
  readonly said: string
  readonly xml: string
}

const end = Buffer.from('</nvidia_smi_log>')
const mostBytes = 8 * 1024 ** 2
const mostSaid = 4096

export class Documents {
  readonly #source: string
  #held = Buffer.alloc(0)

  /** `source` is the name used in errors. */
  constructor(source: string) {
    this.#source = source
  }

  /** The documents that end in this piece. @throws Error when one does not end in 8 MiB. */
  *take(piece: Buffer): Iterable<Printed> {
    const searched = Math.max(0, this.#held.length - end.length)
    this.#held = Buffer.concat([this.#held, piece])
    for (let at = this.#held.indexOf(end, searched); at >= 0; at = this.#held.indexOf(end)) {
      const text = this.#held.toString('utf8', 0, at + end.length)
      this.#held = this.#held.subarray(at + end.length)
      yield split(text)
    }
    if (this.#held.length > mostBytes)
      throw new Error(`${this.#source}: printed ${mostBytes} bytes without ending a document`)
  }

  /** What was printed after the last document. */
  get rest(): string {
    return this.#held.toString('utf8', 0, mostSaid).trim()
  }
}

/** A document begins at its declaration. */
function split(text: string): Printed {
  const declared = text.indexOf('<?xml')
  const start = declared < 0 ? text.indexOf('<nvidia_smi_log') : declared
  return start <= 0
    ? { said: '', xml: text }
    : { said: text.slice(0, start).trim().slice(0, mostSaid), xml: text.slice(start) }
}
