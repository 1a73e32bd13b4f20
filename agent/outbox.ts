// What a polled source has read and not yet handed on. Kept in memory: about `most` samples, then the oldest go, counted.

import { samplesIn } from '../core/distribution.ts'
import { Refused, reason } from '../core/errors.ts'
import type { Say } from '../core/log.ts'
import type { Observation } from '../core/model.ts'
import type { Emit } from './source.ts'

const most = 10_000

export interface Outbox {
  /** Samples given up so far. */
  readonly lost: number
  /**
   * Hands on what is kept and this observation, oldest first; what fails is kept for the next call. Whether nothing is
   * kept any more. Never throws.
   */
  hand(observation: Observation): Promise<boolean>
  /** One last attempt; what still fails is lost. */
  close(): Promise<void>
}

export function openOutbox(name: string, emit: Emit, say: Say): Outbox {
  let kept: Observation[] = []
  let lost = 0
  let failing = false

  /** All at once, so that they become one commit; the edge keeps their order. */
  const flush = async (): Promise<void> => {
    const tried = kept
    const results = await Promise.allSettled(tried.map(async observation => emit(observation)))
    const failures = results.flatMap(r => (r.status === 'rejected' ? [r.reason as unknown] : []))
    kept = tried.filter((observation, n) => keeps(observation, results[n]!))
    report(failures.find(f => !(f instanceof Refused)))
  }

  const keeps = (observation: Observation, result: PromiseSettledResult<void>): boolean => {
    if (result.status === 'fulfilled') return false
    if (!(result.reason instanceof Refused)) return true
    giveUp(observation, `its reading was refused: ${reason(result.reason)}`)
    return false
  }

  const giveUp = (observation: Observation, why: string): void => {
    const count = samplesIn(observation)
    lost += count
    say('error', `source ${name}: ${why}; ${count} samples are lost`, { source: name })
  }

  const report = (failure: unknown): void => {
    if (failure !== undefined && !failing) {
      say('warning', `source ${name}: cannot hand on readings, keeping them: ${reason(failure)}`, { source: name })
    }
    if (failure === undefined && failing) say('info', `source ${name}: hands on readings again`, { source: name })
    failing = failure !== undefined
  }

  const shed = (): void => {
    let samples = kept.reduce((sum, o) => sum + samplesIn(o), 0)
    while (samples > most && kept.length > 1) {
      const oldest = samplesIn(kept.shift()!)
      samples -= oldest
      lost += oldest
    }
  }

  return {
    get lost() {
      return lost
    },
    hand: async observation => {
      kept.push(observation)
      await flush()
      shed()
      return kept.length === 0
    },
    close: async () => {
      if (kept.length > 0) await flush()
      for (const observation of kept.splice(0)) giveUp(observation, 'it ends before its reading could be handed on')
    },
  }
}
