// Where drafts begin and end: dated by the clocks, completed with what is to be told beside, and handed on until they are
// in the spool. A draft that cannot be handed on holds up the one who made it, and so in the end the server.

import type { Emit } from '../../agent/source.ts'
import { backoff } from '../../core/backoff.ts'
import { Refused, reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import type { Event, Observation } from '../../core/model.ts'
import { Draft } from './draft.ts'
import { Oddities } from './oddities.ts'

export interface DeskOptions {
  readonly source: string
  readonly max_skew: number
  readonly emit: Emit
  readonly signal: AbortSignal
  readonly say: Say
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export class EmittingDesk {
  readonly #options: DeskOptions
  readonly #oddities: Oddities
  #isSkewed = false
  /** Samples given up because they were refused. */
  lost = 0

  constructor(options: DeskOptions) {
    this.#options = options
    this.#oddities = new Oddities(options.source)
  }

  /** `skew` is how far the server's clock is ahead, ms; `once` what the draft is known by, where it may come again. */
  draft(skew: number, once?: string): Draft {
    const now = this.#options.now()
    const draft = new Draft({ now, skew, maxSkew: this.#options.max_skew }, once)
    const isSkewed = Math.abs(skew) > this.#options.max_skew
    if (isSkewed !== this.#isSkewed) draft.beside.push(this.#clock(isSkewed, skew, now))
    this.#isSkewed = isSkewed
    return draft
  }

  /** Resolves when it is in the spool, or was refused. @throws when the source is to end before. */
  async commit(draft: Draft): Promise<void> {
    this.#oddities.tell(draft)
    if (await this.#handOn(draft.observation(this.#options.source))) draft.committed()
    if (draft.beside.length > 0) await this.#handOn({ samples: [], events: draft.beside })
  }

  /** Whether it was not refused. */
  async #handOn(observation: Observation): Promise<boolean> {
    const { emit, signal, sleep, source, say } = this.#options
    const pause = backoff({ min: 100, max: 10_000 })
    for (let failing = false; ; failing = true) {
      try {
        await emit(observation)
        if (failing) say('info', `source ${source}: hands on values again`, { source })
        return true
      } catch (error) {
        if (error instanceof Refused) {
          this.#giveUp(observation.samples.length, error)
          return false
        }
        if (signal.aborted) throw error
        if (!failing)
          say('warning', `source ${source}: cannot hand on values, the server keeps them: ${reason(error)}`, { source })
        await sleep(pause.next(), signal)
      }
    }
  }

  #giveUp(samples: number, error: Refused): void {
    const { source, say } = this.#options
    this.lost += samples
    say('error', `source ${source}: values were refused: ${reason(error)}; ${samples} samples are lost`, { source })
  }

  #clock(isWrong: boolean, skew: number, time: number): Event {
    const { source } = this.#options
    const name = isWrong ? 'opcua.clock.wrong' : 'opcua.clock.right'
    const severity = isWrong ? 'warning' : 'info'
    return { name, time, severity, body: { ahead_seconds: Math.round(skew) / 1000 }, attributes: { source } }
  }
}
