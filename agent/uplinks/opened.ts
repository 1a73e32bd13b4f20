// An envelope back to what was read, for uplinks that speak another language than OTLP. Series keep their identity from one
// envelope to the next (core/otlp/intern.ts), so that an uplink can know its own things of each by reference. A histogram or
// a summary comes as the series that a collector makes of it: `<name>.count`, `<name>.sum`, `<name>.bucket`.

import { zstdDecompressSync } from 'node:zlib'
import type { Envelope } from '../../core/envelope.ts'
import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import { decodeLogs, MetricDecoder } from '../../core/otlp/decode.ts'
import type { Identity } from '../uplink.ts'

/** Bytes of one payload once decompressed; an edge makes less. */
const mostOpened = 32 * 1024 ** 2
/** Series remembered; then they are learned again, as new objects. */
const mostSeries = 100_000

export interface Opened {
  readonly resource: Attributes
  /** In the order in which the envelope holds them. */
  readonly samples: readonly Sample[]
  readonly events: readonly Event[]
}

/** `identity.opened` saves decompressing what was stored just now. */
export class Opener {
  readonly #fresh: (payload: Uint8Array) => Uint8Array | undefined
  readonly #decoder: MetricDecoder<Series>
  #resource: Attributes = {}
  #samples: Sample[] = []

  constructor({ opened }: Pick<Identity, 'opened'> = {}) {
    this.#fresh = opened ?? (() => undefined)
    const series = (resource: Attributes, made: Series): Series => {
      this.#resource = resource
      return made
    }
    const sample = (of: Series, time: number, value: number): void =>
      void this.#samples.push({ series: of, time, value })
    this.#decoder = new MetricDecoder({ series, sample }, mostSeries)
  }

  /** @throws Error on a damaged payload; an uplink refuses such an envelope. */
  open(e: Pick<Envelope, 'payload' | 'encoding'>): Opened {
    const bytes = this.#fresh(e.payload) ?? zstdDecompressSync(e.payload, { maxOutputLength: mostOpened })
    return e.encoding === 'otlp-metrics-zstd' ? this.#metrics(bytes) : this.#logs(bytes)
  }

  #metrics(bytes: Uint8Array): Opened {
    this.#samples = []
    this.#decoder.decode(bytes)
    return { resource: this.#resource, samples: this.#samples, events: [] }
  }

  #logs(bytes: Uint8Array): Opened {
    const found = decodeLogs(bytes)
    // An edge has one resource, and may have told of it in events alone so far.
    if (found.length > 0) this.#resource = found[0]!.resource
    return { resource: this.#resource, samples: [], events: found.map(({ event }) => event) }
  }
}
