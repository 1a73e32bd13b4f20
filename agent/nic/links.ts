// The links of all interfaces, however many: those of hardware and the first of the others are read each time, through
// files that stay open; the rest in turns. So 500 interfaces cost what 100 do, and hold no more descriptors.

import { reason } from '../../core/errors.ts'
import type { Trouble } from '../../core/log.ts'
import type { Sample } from '../../core/model.ts'
import type { Link } from './link.ts'

const eachTime = 64
const inTurns = 32

export class Links {
  readonly #trouble: Trouble
  readonly #links = new Set<Link>()
  /** Hardware first; undefined after a change. */
  #ordered: readonly Link[] | undefined
  #turn = 0

  constructor(trouble: Trouble) {
    this.#trouble = trouble
  }

  add(link: Link): Link {
    this.#links.add(link)
    this.#ordered = undefined
    return link
  }

  delete(link: Link): void {
    link.close()
    this.#links.delete(link)
    this.#ordered = undefined
  }

  /** Appends to `into`; a link with a damaged file is said once and has no samples. */
  read(time: number, into: Sample[]): void {
    this.#ordered ??= [...this.#links].sort((a, b) => Number(b.hasHardware) - Number(a.hasHardware))
    for (const link of this.#ordered.slice(0, eachTime)) this.#readOne(link, time, into)
    const others = this.#ordered.slice(eachTime)
    for (let n = 0; n < Math.min(inTurns, others.length); n++) {
      const link = others[this.#turn++ % others.length]!
      this.#readOne(link, time, into)
      link.close()
    }
  }

  close(): void {
    for (const link of this.#links) link.close()
  }

  #readOne(link: Link, time: number, into: Sample[]): void {
    const subject = `nic ${link.name}`
    try {
      into.push(...link.read(time))
      this.#trouble(subject, undefined)
    } catch (error) {
      this.#trouble(subject, reason(error))
    }
  }
}
