// Copies a series to another device while its rule holds: the newest value, when it has changed, at most once in a while.

import type { Outcome, Series } from '../../core/model.ts'
import { follow, type Order } from '../../judge/in-order.ts'
import { selectsSeries } from '../../judge/select.ts'
import type { DeedOf } from './options.ts'

export interface RelayOptions {
  readonly deed: DeedOf<'relay'>
  /** Never rejects. */
  write(value: number): Promise<Outcome>
  now(): number
}

export class Relay {
  readonly #options: RelayOptions
  readonly #selects: (node: string, series: Series) => boolean
  readonly #order: Order = { last: Number.NEGATIVE_INFINITY, behind: null }
  #newest: number | undefined
  #written: number | undefined
  #last = Number.NEGATIVE_INFINITY
  #writing = false
  #on = false
  /** How often it began or ended. */
  #turns = 0

  constructor(options: RelayOptions) {
    this.#options = options
    this.#selects = selectsSeries(options.deed)
  }

  watches(source: string, series: Series): boolean {
    return (this.#options.deed.from ?? source) === source && this.#selects('', series)
  }

  note(time: number, value: number): void {
    if (follow(this.#order, time, this.#options.now()) !== 'late') this.#newest = value
  }

  /** Begins or ends; what stood at the device meanwhile is not known. */
  turn(on: boolean): void {
    if (on === this.#on) return
    this.#on = on
    this.#written = undefined
    this.#turns++
  }

  /** Writes if there is something to write and it may; to be called now and then. */
  go(): void {
    const { deed, now } = this.#options
    if (!this.#on || this.#newest === undefined || this.#writing || now() - this.#last < deed.every) return
    const value = this.#newest * deed.scale + deed.offset
    if (value === this.#written) return
    this.#writing = true
    this.#last = now()
    void this.#write(value)
  }

  async #write(value: number): Promise<void> {
    const turn = this.#turns
    const { state } = await this.#options.write(value)
    if (state !== 'unknown' && turn === this.#turns) this.#written = value
    this.#writing = false
  }
}
