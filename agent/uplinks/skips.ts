// Envelopes that were refused while the collector's watermark had not passed them: it may never hear of them, so none may
// claim to follow from them. `previous` is not under the seal for this reason. Forgetting costs one call to go back.

import type { Envelope } from '../../core/envelope.ts'

const mostRemembered = 1000

export class Skips {
  /** `stream/seq` to its previous. */
  readonly #known = new Map<string, number>()

  add({ stream, seq, previous }: Envelope): void {
    if (this.#known.size >= mostRemembered) this.#known.clear()
    this.#known.set(`${stream}/${seq}`, previous)
  }

  /** The envelope as it should travel: following from one that the collector can know. */
  mend(e: Envelope): Envelope {
    let previous = e.previous
    for (let seq: number | undefined = previous; seq !== undefined; seq = this.#known.get(`${e.stream}/${seq}`)) {
      previous = seq
    }
    return previous === e.previous ? e : { ...e, previous }
  }
}
