// What one register has told so far, and what of its next reading is worth telling: a sample unless the value stayed
// within its deadband, an event where a name, a text or the register's quality changed. Pure: time is handed in.

import type { Event, Json, Sample, Series, Severity } from '../../core/model.ts'
import { type Decode, decodeText, rawText } from './decode.ts'
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

const isSoon = (last: number | undefined, { monotonic }: Moment): boolean =>
  last !== undefined && monotonic - last < eventPause

export class Point {
  readonly register: Register
  readonly #series: Series
  readonly #decode: Decode
  readonly #names: ReadonlyMap<number, string> | undefined
  /** The value last told and when, kept only where there is a deadband: a gateway has some 100,000 of these. */
  #sent: number | undefined
  #sentAt: number | undefined
  #quality: Quality = 'good'
  #qualityAt: number | undefined
  /** The name or text that was told last, and of a name its raw number. */
  #state: string | null | undefined
  #raw: number | undefined
  #stateAt: number | undefined

  constructor(register: Register, series: Series, decode: Decode) {
    this.register = register
    this.#series = series
    this.#decode = decode
    this.#names = register.values && new Map(Object.entries(register.values).map(([raw, name]) => [Number(raw), name]))
  }

  /** `at` is where the register stands in the block's bytes. */
  take(bytes: Buffer, at: number, moment: Moment, told: Told): void {
    if (this.register.type === 'text') this.#takeText(decodeText(this.register, bytes, at), moment, told)
    else this.#takeNumber(bytes, at, moment, told)
  }

  /** It was refused, or nothing came, for this reason. */
  refuse(reason: string, moment: Moment, told: Told): void {
    this.#sent = undefined
    this.#tellQuality('refused', reason, moment, told)
  }

  #takeNumber(bytes: Buffer, at: number, moment: Moment, told: Told): void {
    const value = this.#decode(bytes, at)
    if (Number.isNaN(value)) {
      this.#sent = undefined
      this.#tellQuality('none', `the device gives no number: ${rawText(this.register, bytes, at)}`, moment, told)
      return
    }
    if (this.#quality !== 'good') this.#tellQuality('good', null, moment, told)
    if (this.#isNews(value, moment.monotonic)) {
      told.samples.push({ series: this.#series, time: moment.time, value })
    }
    if (this.#names && value !== this.#raw) this.#takeName(value, this.#names.get(value) ?? null, moment, told)
  }

  #isNews(value: number, now: number): boolean {
    const { deadband, max_silence } = this.register
    if (deadband === undefined) return true
    if (this.#sent !== undefined && now - this.#sentAt! < max_silence) {
      const most = 'absolute' in deadband ? deadband.absolute : deadband.share * Math.abs(this.#sent)
      if (Math.abs(value - this.#sent) <= most) return false
    }
    this.#sent = value
    this.#sentAt = now
    return true
  }

  #takeName(raw: number, to: string | null, moment: Moment, told: Told): void {
    if (isSoon(this.#stateAt, moment)) return
    const body = { from: this.#state ?? null, to, raw }
    this.#state = to
    this.#raw = raw
    this.#stateAt = moment.monotonic
    told.events.push(this.#event('modbus.state_changed', body, moment))
  }

  #takeText(to: string, moment: Moment, told: Told): void {
    if (this.#quality !== 'good') this.#tellQuality('good', null, moment, told)
    if (to === (this.#state ?? '') || isSoon(this.#stateAt, moment)) return
    const body = { from: this.#state ?? null, to }
    this.#state = to
    this.#stateAt = moment.monotonic
    told.events.push(this.#event('modbus.text_changed', body, moment))
  }

  #tellQuality(quality: Quality, reason: string | null, moment: Moment, told: Told): void {
    if (quality === this.#quality || isSoon(this.#qualityAt, moment)) return
    this.#quality = quality
    this.#qualityAt = moment.monotonic
    const severity = quality === 'good' ? 'info' : 'warning'
    told.events.push(this.#event('modbus.quality_changed', { quality, reason }, moment, severity))
  }

  #event(name: string, body: Json, { time }: Moment, severity: Severity = 'info'): Event {
    return { name, time, severity, body, attributes: { ...this.#series.attributes, register: this.register.name } }
  }
}
