// What one register has told so far, and what of its next reading is worth telling: a sample unless the value stayed
// within its deadband, an event where a name, a text or the register's quality changed. Pure: time is handed in.

import type { Event, Json, Sample, Series } from '../../core/model.ts'
import { type Decode, decoder, decodeText, type Power, rawText } from './decode.ts'
import type { Register } from './registers.ts'

/** What a reading adds to. */
export interface Told {
  readonly samples: Sample[]
  readonly events: Event[]
}

/** When something was read: by the clock, and by one that is never stepped; ms. */
export interface Moment {
  readonly time: number
  readonly monotonic: number
}

/** Whether the device gives a value: `none` says that there is none just now, `refused` that it has no such register. */
export type Quality = 'good' | 'none' | 'refused'

/** A register that flutters makes at most one event of a kind in so long, ms; the last state is told in any case. */
const eventPause = 1000

export class Point {
  readonly register: Register
  readonly #series: Series
  readonly #decode: Decode
  readonly #names: ReadonlyMap<number, string> | undefined
  #sent = Number.NaN
  #sentAt = Number.NEGATIVE_INFINITY
  #quality: Quality = 'good'
  #qualityAt = Number.NEGATIVE_INFINITY
  /** The name or text that was told last, and of a name its raw number. */
  #state: string | null | undefined
  #raw = Number.NaN
  #stateAt = Number.NEGATIVE_INFINITY

  constructor(register: Register, series: Series, power?: Power) {
    this.register = register
    this.#series = series
    this.#decode = decoder(register, power)
    this.#names = register.values && new Map(Object.entries(register.values).map(([raw, name]) => [Number(raw), name]))
  }

  /** `at` is where the register stands in the block's bytes. */
  take(bytes: Buffer, at: number, moment: Moment, told: Told): void {
    if (this.register.type === 'text') this.#takeText(decodeText(this.register, bytes, at), moment, told)
    else this.#takeNumber(bytes, at, moment, told)
  }

  /** It was refused, or nothing came, for this reason. */
  refuse(reason: string, moment: Moment, told: Told): void {
    this.#sent = Number.NaN
    this.#tellQuality('refused', reason, moment, told)
  }

  #takeNumber(bytes: Buffer, at: number, moment: Moment, told: Told): void {
    const value = this.#decode(bytes, at)
    if (Number.isNaN(value)) {
      this.#sent = Number.NaN
      this.#tellQuality('none', `the device gives no number: ${rawText(this.register, bytes, at)}`, moment, told)
      return
    }
    if (this.#quality !== 'good') this.#tellQuality('good', null, moment, told)
    if (this.#isNews(value, moment.monotonic)) {
      this.#sent = value
      this.#sentAt = moment.monotonic
      told.samples.push({ series: this.#series, time: moment.time, value })
    }
    if (this.#names && value !== this.#raw) this.#takeName(value, this.#names.get(value) ?? null, moment, told)
  }

  #isNews(value: number, now: number): boolean {
    const { deadband, max_silence } = this.register
    if (deadband === undefined || Number.isNaN(this.#sent) || now - this.#sentAt >= max_silence) return true
    const most = 'absolute' in deadband ? deadband.absolute : deadband.share * Math.abs(this.#sent)
    return Math.abs(value - this.#sent) > most
  }

  #takeName(raw: number, to: string | null, moment: Moment, told: Told): void {
    if (moment.monotonic - this.#stateAt < eventPause) return
    const body = { from: this.#state ?? null, to, raw }
    this.#state = to
    this.#raw = raw
    this.#stateAt = moment.monotonic
    told.events.push(this.#event('modbus.state_changed', body, moment))
  }

  #takeText(to: string, moment: Moment, told: Told): void {
    if (this.#quality !== 'good') this.#tellQuality('good', null, moment, told)
    if (to === (this.#state ?? '') || moment.monotonic - this.#stateAt < eventPause) return
    const body = { from: this.#state ?? null, to }
    this.#state = to
    this.#stateAt = moment.monotonic
    told.events.push(this.#event('modbus.text_changed', body, moment))
  }

  #tellQuality(quality: Quality, reason: string | null, moment: Moment, told: Told): void {
    if (quality === this.#quality || moment.monotonic - this.#qualityAt < eventPause) return
    this.#quality = quality
    this.#qualityAt = moment.monotonic
    told.events.push(this.#event('modbus.quality_changed', { quality, reason }, moment))
  }

  #event(name: string, body: Json, { time }: Moment): Event {
    const severity = name === 'modbus.quality_changed' ? 'warning' : 'info'
    return { name, time, severity, body, attributes: { ...this.#series.attributes, register: this.register.name } }
  }
}
