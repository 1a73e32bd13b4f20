// Makes a source of a program that goes on telling by itself: what comes is handed on as it comes, and kept while it
// cannot be. Like a polled source it tells whether it works.

import type { Observation, Series } from '../core/model.ts'
import { openOutbox } from './outbox.ts'
import type { Running, Surroundings } from './source.ts'

const second = 1000

export interface Streamed extends Omit<Surroundings, 'keep'> {
  /**
   * What is told, until the signal aborts. A throw ends it, and the edge begins anew after a back-off. While what came is
   * handed on nothing more is asked for.
   */
  tell(signal: AbortSignal): AsyncIterable<Observation>
  /** Called when all that was told so far is durable in the spool. */
  committed(): void
  once(signal: AbortSignal): Promise<Observation>
}

export function streamed({ name, host, say, tell, committed, once }: Streamed): Running {
  const attributes = { source: name }
  const success: Series = { name: 'fieldline.source.success', unit: '1', kind: 'gauge', attributes }
  const lost: Series = { name: 'fieldline.source.lost', unit: '{sample}', kind: 'counter', attributes }

  const run: Running['run'] = async (emit, signal) => {
    const outbox = openOutbox(name, emit, say)
    /** Polled sources read at whole seconds: what is told together is one commit and one message. */
    const untilOthers = (signal: AbortSignal): Promise<void> => host.sleep(second - (host.now() % second), signal)
    const hand = async (told: Observation, worked: boolean): Promise<void> => {
      const time = told.samples[0]?.time ?? host.now()
      const samples = [...told.samples, { series: success, time, value: Number(worked) }]
      if (outbox.lost > 0) samples.push({ series: lost, time, value: outbox.lost })
      if (await outbox.hand({ samples, events: told.events })) committed()
    }
    try {
      for await (const told of tell(signal)) {
        if (told.events.length === 0) await untilOthers(signal)
        await hand(told, true)
        if (signal.aborted) break
      }
    } catch (error) {
      if (!signal.aborted) await hand({ samples: [], events: [] }, false)
      throw error
    } finally {
      await outbox.close()
    }
  }
  return { run, once }
}
