// Any exporter: what endpoints expose in the Prometheus text format or OpenMetrics, over HTTP. docs/exporters.md.
// A target that fails fails alone: it has no values but `up`, which is 0.

import { troubles } from '../../core/log.ts'
import type { Observation } from '../../core/model.ts'
import { polled } from '../polled.ts'
import { openDeriver } from '../prometheus/derive.ts'
import { type PrometheusOptions, prometheusOptions } from '../prometheus/options.ts'
import { openTarget, type Reading, type Target } from '../prometheus/target.ts'
import type { Source } from '../source.ts'

export const prometheus: Source<PrometheusOptions> = {
  name: 'prometheus',
  options: prometheusOptions,
  metrics: undefined,
  open(options, at) {
    const trouble = troubles(at.say)
    const deriver = openDeriver(options.derive)
    const monotonic = (): number => at.host.monotonic()
    const targets = options.targets.map(target => openTarget(options, target, { trouble, deriver, monotonic }))

    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      const readings = await inTurns(targets, options.concurrency, target => target.read(time, signal))
      const derived = deriver.evaluate(
        time,
        readings.every(reading => reading.isUp),
      )
      return {
        samples: [...readings.flatMap(reading => reading.samples), ...derived],
        distributions: readings.flatMap(reading => reading.distributions ?? []),
        events: [],
      }
    }
    const close = (): void => {
      for (const target of targets) target.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

/** At most `most` at a time, each begun as soon as another has ended. */
async function inTurns(
  targets: readonly Target[],
  most: number,
  read: (target: Target) => Promise<Reading>,
): Promise<readonly Reading[]> {
  const readings: Reading[] = []
  const waiting = targets.entries()
  const turn = async (): Promise<void> => {
    for (const [n, target] of waiting) readings[n] = await read(target)
  }
  await Promise.all(Array.from({ length: Math.min(most, targets.length) }, turn))
  return readings
}
