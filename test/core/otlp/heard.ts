// What a decoder tells its sink, as plain data.

import type { Attributes, Sample, Series } from '../../../core/model.ts'
import { MetricDecoder } from '../../../core/otlp/decode.ts'

export interface Heard extends Sample {
  readonly resource: Attributes
}

interface Ref {
  readonly resource: Attributes
  readonly series: Series
}

/** Collects what is delivered; counts how often it was asked for a series; refuses those that `takes` does not take. */
export class Listener {
  asked = 0
  heard: Heard[] = []
  takes: (series: Series) => boolean = () => true
  readonly decoder: MetricDecoder<Ref>

  constructor(maxSeries?: number) {
    this.decoder = new MetricDecoder<Ref>(this, maxSeries)
  }

  series(resource: Attributes, series: Series): Ref | undefined {
    this.asked++
    return this.takes(series) ? { resource, series } : undefined
  }

  sample({ resource, series }: Ref, time: number, value: number): void {
    this.heard.push({ resource, series, time, value })
  }

  decode(bytes: Uint8Array): Heard[] {
    this.heard = []
    this.decoder.decode(bytes)
    return this.heard
  }
}
