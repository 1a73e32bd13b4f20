// What goes over a connection that may cost money: metrics of a stream travel compressed after one that the collector keeps
// (core/base.ts). The spool knows nothing of this: here its envelopes are compressed anew on their way.
//
// The first of a stream travels whole and asks the collector to keep it; once a receipt says that it is kept, those after it
// are compressed after it, until it no longer fits or has served long enough; then one travels whole again. A receipt that
// says a base is not there (another collector, one that began anew) has everything travel whole; no data is at stake.

import { Base, mostBase, openFrame } from '../../core/base.ts'
import { type Envelope, seal } from '../../core/envelope.ts'
import type { Receipt } from '../../core/receipt.ts'

/** Answers with the decompressed bytes of a payload, if they are at hand. */
export type Opened = (payload: Uint8Array) => Uint8Array | undefined

/** Streams at a time: the current one and one that waited through an outage. */
const mostStreams = 2
/** Envelopes a base serves at most, so that who begins to listen can soon read along. */
const longest = 64
/** After so many a base is given up if it fits ill; after twice as many, and so on, if the next ones fit no better. */
const shortest = 8
/** A base fits ill when what is compressed after it is more than this part of what it would be alone. */
const worn = 1 / 5
/** What may be spent: bytes of payload a second of the data's own time, and saved up. 1 KB costs about 20 us of CPU. */
const [rate, mostSaved] = [2048, 64 * 1024]

interface Place {
  /** Sent whole with the wish to have it kept; the last one counts. */
  asked: Envelope | undefined
  base: Base | undefined
  /** Compressed after the base so far. */
  served: number
  /** How many it serves although it fits ill. */
  patience: number
  saved: number
  /** The newest data seen, ms. */
  time: number
}

export class Bases {
  readonly #opened: Opened
  readonly #places = new Map<string, Place>()

  constructor(opened: Opened = () => undefined) {
    this.#opened = opened
  }

  /** The envelope as it should travel. */
  shorten(e: Envelope): Envelope {
    if (e.encoding !== 'otlp-metrics-zstd' || e.payload.length > mostBase.payload) return e
    const place = this.#place(e)
    if (!affords(place, e)) return e
    if (place.base === undefined) return ask(place, e)
    // What goes again from before the base, or is the base, cannot come after it.
    if (e.seq <= place.base.seq) return e
    return this.#afterBase(place, place.base, e)
  }

  heard({ stream, base }: Receipt): void {
    const place = this.#places.get(stream)
    if (place === undefined || base === undefined) return
    if (base === place.asked?.seq) this.#keep(place, place.asked)
    else if (base === 0) Object.assign(place, { asked: undefined, base: undefined })
  }

  #place({ stream, lastTime }: Envelope): Place {
    const place = this.#places.get(stream) ?? newPlace(lastTime)
    // Behind the others again: the one that was not used for longest goes first.
    this.#places.delete(stream)
    if (this.#places.size >= mostStreams) this.#places.delete(this.#places.keys().next().value!)
    this.#places.set(stream, place)
    return place
  }

  #keep(place: Place, asked: Envelope): void {
    const bytes = this.#open(asked)
    place.asked = undefined
    place.base = bytes && new Base(asked, bytes)
    place.served = 0
  }

  #afterBase(place: Place, base: Base, e: Envelope): Envelope {
    const bytes = this.#open(e)
    if (bytes === undefined) return e
    const payload = base.compress(bytes, e.lastTime)
    place.served++
    if (hasWornOut(place, base, bytes.length, payload.length / e.payload.length)) return ask(place, e)
    const short = { ...e, base: base.seq, payload }
    return { ...short, crc: seal(short, payload) }
  }

  #open({ payload }: Envelope): Uint8Array | undefined {
    return this.#opened(payload) ?? attempt(payload)
  }
}

function newPlace(time: number): Place {
  return { asked: undefined, base: undefined, served: 0, patience: shortest, saved: mostSaved, time }
}

/** Pays for the envelope out of what its stream has saved up. */
function affords(place: Place, { lastTime, payload }: Envelope): boolean {
  const seconds = Math.max(0, lastTime - place.time) / 1000
  place.saved = Math.min(mostSaved, place.saved + seconds * rate)
  place.time = Math.max(place.time, lastTime)
  if (place.saved < payload.length) return false
  place.saved -= payload.length
  return true
}

function ask(place: Place, e: Envelope): Envelope {
  place.asked = e
  place.base = undefined
  return { ...e, base: e.seq }
}

/** What is far smaller than the base is a straggler: it would make a poor base, and fits ill without saying anything. */
function hasWornOut(place: Place, base: Base, size: number, part: number): boolean {
  if (size >= 2 * base.size) return true
  if (2 * size < base.size) return false
  if (place.served >= longest) place.patience = shortest
  else if (place.served >= place.patience && part > worn) place.patience *= 2
  else return false
  return true
}

/** Undefined where a payload is larger than a base may be, or damaged: such travel as they are. */
function attempt(payload: Uint8Array): Uint8Array | undefined {
  try {
    return openFrame(payload)
  } catch {
    return undefined
  }
}
