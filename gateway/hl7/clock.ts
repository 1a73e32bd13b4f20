// When what a message tells of was so. IHE PCD TF-2, appendix B: OBX-14 of the observation, else of what contains it,
// else the order's OBR-7 or OBR-8. The MDS comes behind the order: its OBX-14 is the device's clock, not a reading's time.

import type { Event } from '../../core/model.ts'
import type { Containment, Node } from './containment.ts'
import type { Segment } from './segment.ts'
import type { Reading, Subject } from './subject.ts'
import { correction, readTime, type Zone } from './time.ts'
import { tellChange } from './told.ts'

export class Clock {
  readonly #reading: Reading
  readonly #zone: Zone
  /** MSH-7, ms since the epoch. */
  readonly #written: number | undefined
  readonly #correction: number
  /** The same few texts stand in all observations of a message. */
  readonly #times = new Map<string, number>()

  constructor(reading: Reading) {
    const { options, time, message } = reading
    const header = readTime(message.header.field(7).component(), options.time_zone)
    this.#reading = reading
    this.#zone = header?.offset ?? options.time_zone
    this.#written = header !== undefined && header.time > 0 ? header.time : undefined
    this.#correction = correction(this.#written, time, { ahead: options.clock_ahead, behind: options.clock_behind })
  }

  /** By the gateway's clock where the sender's is wrong. */
  of(node: Node, tree: Containment, order: Segment | undefined): number {
    return this.#usable(observed(node)) ?? this.first(textsFor(node, tree, order))
  }

  /** The first of the texts that is a time; MSH-7, and in the end when the message came, where none is. */
  first(texts: Iterable<string | undefined>): number {
    for (const text of texts) {
      const time = this.#usable(text)
      if (time !== undefined) return time
    }
    return this.#written === undefined ? this.#reading.time : this.#written + this.#correction
  }

  #usable(text: string | undefined): number | undefined {
    const { time: received, options } = this.#reading
    const time = text === undefined || text === '' ? Number.NaN : this.#read(text)
    return time > 0 && time <= received + options.clock_ahead ? time : undefined
  }

  #read(text: string): number {
    const known = this.#times.get(text)
    if (known !== undefined) return known
    const read = readTime(text, this.#zone)
    const time = read === undefined ? Number.NaN : read.time + this.#correction
    this.#times.set(text, time)
    return time
  }

  /** Told when a sender's clock became wrong, and when it is right again. */
  skew(key: string, subject: Subject): readonly Event[] {
    const { draft, time } = this.#reading
    const seconds = this.#written === undefined ? 0 : Math.round((this.#written - time) / 1000)
    const state = this.#correction === 0 ? undefined : seconds > 0 ? 'ahead' : 'behind'
    const begin = { name: 'hl7.clock.wrong', severity: 'warning', time, body: { skew_s: seconds } } as const
    const end = { name: 'hl7.clock.right', severity: 'info', time, body: { skew_s: seconds } } as const
    return tellChange(draft.told, `clock|${key}`, state, { begin, end }, subject)
  }
}

/** Where else the time of an observation may stand than with itself, the best first; the next is looked for only where the one before is none. */
function* textsFor(node: Node, tree: Containment, order: Segment | undefined): Generator<string | undefined> {
  const outer: Node[] = []
  for (const above of tree.above(node)) {
    if (above.key.includes('.')) yield observed(above)
    else outer.push(above)
  }
  yield order?.field(7).component()
  yield* outer.map(observed)
  yield order?.field(8).component()
}

function observed({ segment }: Node): string {
  return segment.field(14).component()
}
