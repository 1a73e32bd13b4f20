// What an HL7 source tells of itself: messages by what became of them, connections, and what was no message at all.

import { metric } from '../../agent/metric.ts'
import type { Sample } from '../../core/model.ts'

/**
 * `stored`: durable. `repeated`: known already. `aside`: makes no sense, kept aside. `too-large`, `unlisted`: refused.
 * `retry`: could not be stored, and its sender was asked to send it again. `answer`: an acknowledgement sent to us.
 */
const outcomes = ['stored', 'repeated', 'aside', 'too-large', 'unlisted', 'retry', 'answer'] as const
export type Outcome = (typeof outcomes)[number]

const origin = 'MLLP'
const messages = metric(
  'hl7.messages',
  '{message}',
  'counter',
  ['source', 'outcome'],
  origin,
  'messages by what became of them',
)
const connections = metric('hl7.connections', '{connection}', 'gauge', ['source'], origin, 'open connections')
const turnedAway = metric(
  'hl7.connections.refused',
  '{connection}',
  'counter',
  ['source'],
  origin,
  'connections of who may not send, or too many',
)
const noise = metric('hl7.noise', 'By', 'counter', ['source'], origin, 'bytes outside frames')
const cut = metric('hl7.frames.cut', '{frame}', 'counter', ['source'], origin, 'frames that were cut off')

export class Counts {
  connections = 0
  refused = 0
  noise = 0
  cut = 0
  readonly #outcomes = new Map<Outcome, number>()
  readonly #series

  constructor(source: string) {
    this.#series = {
      outcomes: new Map(outcomes.map(outcome => [outcome, messages.of({ source, outcome })])),
      connections: connections.of({ source }),
      refused: turnedAway.of({ source }),
      noise: noise.of({ source }),
      cut: cut.of({ source }),
    }
  }

  count(outcome: Outcome): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
  }

  /** Of an outcome that never was there is nothing to tell, but of messages stored. */
  samples(time: number): Sample[] {
    const { outcomes, connections, refused, noise, cut } = this.#series
    const told = [...outcomes].flatMap(([outcome, series]) => {
      const value = this.#outcomes.get(outcome) ?? 0
      return value > 0 || outcome === 'stored' ? [{ series, time, value }] : []
    })
    return [
      ...told,
      { series: connections, time, value: this.connections },
      { series: refused, time, value: this.refused },
      { series: noise, time, value: this.noise },
      { series: cut, time, value: this.cut },
    ]
  }
}
