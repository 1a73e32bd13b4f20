// What happens to many nodes at once and is no loss of the value itself is told at most once a minute, with how often it
// happened and to which nodes.

import type { Event, Severity } from '../../core/model.ts'
import type { Draft, Oddity } from './draft.ts'

const every = 60_000
const mostNames = 20

const kinds: Readonly<Record<Oddity, { readonly name: string; readonly severity: Severity }>> = {
  overflow: { name: 'opcua.queue.overflow', severity: 'warning' },
  impossible: { name: 'opcua.time.impossible', severity: 'warning' },
  rounded: { name: 'opcua.value.rounded', severity: 'info' },
  cut: { name: 'opcua.value.cut', severity: 'warning' },
}

export class Oddities {
  readonly #source: string
  readonly #met = new Map<Oddity, { count: number; names: Set<string>; toldAt: number }>()

  constructor(source: string) {
    this.#source = source
  }

  /** Moves what drafts met into the events beside this one, where it is time to tell. */
  tell({ oddities, beside, clocks: { now } }: Draft): void {
    for (const { oddity, node } of oddities) {
      const met = this.#met.get(oddity) ?? { count: 0, names: new Set(), toldAt: Number.NEGATIVE_INFINITY }
      this.#met.set(oddity, met)
      met.count++
      if (met.names.size < mostNames) met.names.add(node.options.name)
    }
    for (const [oddity, met] of this.#met) {
      if (met.count === 0 || now - met.toldAt < every) continue
      beside.push(this.#event(oddity, met.count, [...met.names], now))
      this.#met.set(oddity, { count: 0, names: new Set(), toldAt: now })
    }
  }

  #event(oddity: Oddity, count: number, nodes: readonly string[], time: number): Event {
    return { ...kinds[oddity], time, body: { count, nodes }, attributes: { source: this.#source } }
  }
}
