// The last value of each series, for /metrics. Bounded; what a source no longer tells is forgotten, so that a process
// that ended or a disk that was drawn is not shown for ever.

import type { Say } from '../core/log.ts'
import type { Attributes, Sample, Series } from '../core/model.ts'
import { exposition } from './exposition.ts'
import type { Emit } from './source.ts'

const mostSeries = 20_000
/** How long a value is shown, ms, where its source does not come at longer intervals. */
const shown = 300_000
/** A source may miss one reading. */
const patience = 2.5

interface Last {
  readonly sample: Sample
  /** ms between the last two samples. */
  readonly every: number
}

export interface Readings {
  /** Hands on what is emitted, and keeps its last values. */
  keeping(emit: Emit): Emit
  /** In the Prometheus text format. */
  text(): string
}

export function openReadings(resource: Attributes, now: () => number, say: Say): Readings {
  const last = new Map<Series, Last>()
  let isCut = false

  const keep = (sample: Sample): void => {
    const before = last.get(sample.series)
    if (before === undefined && last.size >= mostSeries) forget()
    if (before === undefined && last.size >= mostSeries) {
      if (!isCut) say('warning', `/metrics: more than ${mostSeries} series: the others are not shown`)
      isCut = true
      return
    }
    last.set(sample.series, { sample, every: before === undefined ? 0 : sample.time - before.sample.time })
  }

  const forget = (): void => {
    for (const [series, { sample, every }] of last) {
      if (now() - sample.time > Math.max(shown, every * patience)) last.delete(series)
    }
  }

  const keeping = (emit: Emit): Emit => {
    return async observation => {
      for (const sample of observation.samples) keep(sample)
      await emit(observation)
    }
  }

  const text = (): string => {
    forget()
    return exposition(
      resource,
      [...last.values()].map(({ sample }) => sample),
    )
  }
  return { keeping, text }
}
