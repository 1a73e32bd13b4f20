// One pass over a device's registers: blocks in, samples and events out. What the device refuses is told once, left out
// and asked for again now and then; the rest goes on, and a register that appears later is picked up.

import type { EventKind } from '../../agent/metric.ts'
import type { Surroundings } from '../../agent/source.ts'
import { reason } from '../../core/errors.ts'
import type { Attributes, Observation, Series } from '../../core/model.ts'
import { decoder, decoders } from './decode.ts'
import { type Asks, ModbusException } from './pdu.ts'
import { apart, type Block, type Bounds, plan } from './plan.ts'
import { type Moment, Point, type Told } from './point.ts'
import { type PowerRegister, powersOf } from './powers.ts'
import type { Register } from './registers.ts'

export interface DeviceOptions extends Bounds {
  readonly registers: readonly Register[]
  readonly attributes: Attributes
}

const own = ['source', 'register'] as const
export const modbusEvents = [
  event('state_changed', 'the named value of a register; body: from, to (null: a value without a name), raw'),
  event('text_changed', 'the text in registers; body: from, to'),
  event(
    'quality_changed',
    'whether a register gives a value; body: quality (good, none: the device gives no number, refused: it does not answer for it), reason',
  ),
] as const satisfies readonly EventKind[]

/** How long what the device refuses, or three times in a row does not answer, is left in peace, ms. */
const rest = 10_000
const patience = 3
/** Of what goes wrong at once so much is said one by one; events tell all of it. */
const mostSaid = 10

/** A block that is read as one, until the device refuses it. */
interface Reading {
  readonly block: Block
  readonly trouble?: Trouble
}

/** Why a block was not read, how often in a row, and until when it is not asked for, by the monotonic clock. */
interface Trouble {
  readonly reason: string
  readonly times: number
  readonly until: number
  readonly isSaid: boolean
}

interface Answer {
  readonly block: Block
  readonly bytes: Buffer
  readonly moment: Moment
}

export class Device {
  readonly #at: Omit<Surroundings, 'keep'>
  readonly #asks: Pick<Asks, 'read'>
  readonly #points: ReadonlyMap<Register, Point>
  readonly #powers: ReadonlyMap<Register, PowerRegister>
  #readings: readonly Reading[]

  constructor(options: DeviceOptions, at: Omit<Surroundings, 'keep'>, asks: Pick<Asks, 'read'>) {
    this.#at = at
    this.#asks = asks
    const powers = powersOf(options.registers)
    this.#powers = new Map([...powers.values()].map(power => [power.register, power]))
    const attributes = { source: at.name, ...options.attributes }
    const decoderOf = decoders()
    const pointOf = (r: Register): Point => {
      const power = powers.get(r)
      return new Point(r, seriesOf(r, attributes), power ? decoder(r, power) : decoderOf(r))
    }
    this.#points = new Map(options.registers.map(r => [r, pointOf(r)]))
    const wanted = [...options.registers, ...this.#powers.keys()]
    this.#readings = plan(wanted, options).map(block => ({ block }))
  }

  /** @throws when the device answers nothing, or refuses every register. */
  async read(): Promise<Observation> {
    const answers: Answer[] = []
    const told: Told = { samples: [], events: [] }
    const read = await Promise.allSettled(this.#readings.map(reading => this.#read(reading, answers)))
    const first = read.findIndex(r => r.status === 'rejected')
    if (first >= 0 && answers.length === 0) {
      this.#putLast(first)
      throw (read[first] as PromiseRejectedResult).reason
    }
    this.#readings = read.flatMap((r, n) =>
      r.status === 'fulfilled' ? r.value : [this.#miss(this.#readings[n]!, reason(r.reason), n === first ? 1 : 0)],
    )
    const trouble = this.#readings.find(r => r.trouble)?.trouble
    if (answers.length === 0 && trouble) throw new Error(trouble.reason)
    this.#takePowers(answers)
    for (const answer of answers) this.#take(answer, told)
    this.#tellTrouble(told)
    return told
  }

  /** Gives what to read next time: of a refused block the parts that are not. */
  async #read(reading: Reading, answers: Answer[]): Promise<readonly Reading[]> {
    const { block, trouble } = reading
    if (trouble && trouble.until > this.#at.host.monotonic()) return [reading]
    try {
      const bytes = await this.#asks.read(block)
      answers.push({ block, bytes, moment: this.#now() })
      if (trouble?.isSaid) this.#say('info', `${named(block)} can be read now`)
      return [{ block }]
    } catch (error) {
      if (!(error instanceof ModbusException) || !isLasting(error)) throw error
      const [first, ...others] = apart(block)
      if (others.length === 0) return [this.#miss(reading, error.message, patience)]
      const parts = await Promise.all([first!, ...others].map(part => this.#read({ block: part }, answers)))
      return parts.flat()
    }
  }

  /** Next time another one is asked first: what a unit does not answer takes all that waits behind it along. */
  #putLast(n: number): void {
    this.#readings = [...this.#readings.toSpliced(n, 1), this.#readings[n]!]
  }

  /** `more`: how much nearer that brings it to being asked for only now and then; 0 where another took it along. */
  #miss({ block, trouble }: Reading, why: string, more: number): Reading {
    const times = (trouble?.times ?? 0) + more
    const until = more > 0 && times >= patience ? this.#at.host.monotonic() + rest : 0
    return { block, trouble: { reason: why, times, until, isSaid: trouble?.reason === why && trouble.isSaid } }
  }

  #takePowers(answers: readonly Answer[]): void {
    if (this.#powers.size === 0) return
    for (const power of this.#powers.values()) power.forget()
    for (const { block, bytes } of answers)
      for (const register of block.registers) this.#powers.get(register)?.take(bytes, register.address - block.address)
  }

  #take({ block, bytes, moment }: Answer, told: Told): void {
    for (const register of block.registers)
      this.#points.get(register)?.take(bytes, register.address - block.address, moment, told)
  }

  #tellTrouble(told: Told): void {
    const moment = this.#now()
    const troubled = this.#readings.filter(r => r.trouble && r.trouble.times > 0)
    this.#sayTrouble(troubled.filter(r => !r.trouble!.isSaid))
    for (const { block, trouble } of troubled)
      for (const register of block.registers) this.#points.get(register)?.refuse(trouble!.reason, moment, told)
  }

  #sayTrouble(troubled: readonly Reading[]): void {
    for (const { block, trouble } of troubled.slice(0, mostSaid))
      this.#say('warning', `${named(block)} is left out: ${trouble!.reason}`)
    if (troubled.length > mostSaid) this.#say('warning', `${troubled.length - mostSaid} more are left out`)
    if (troubled.length === 0) return
    const said = new Set(troubled)
    this.#readings = this.#readings.map(r => (said.has(r) ? { ...r, trouble: { ...r.trouble!, isSaid: true } } : r))
  }

  #now(): Moment {
    return { time: this.#at.host.now(), monotonic: this.#at.host.monotonic() }
  }

  #say(level: 'info' | 'warning', text: string): void {
    this.#at.say(level, text, { source: this.#at.name })
  }
}

/** Refusals that mean these addresses; of a busy device, or a gateway that does not reach it, nothing is known. */
function isLasting({ code }: ModbusException): boolean {
  return code <= 4
}

/** `register oil.temperature`, `register oil.temperature and 3 more` */
function named({ registers }: Block): string {
  const more = registers.length - 1
  return `register ${registers[0]!.name}${more > 0 ? ` and ${more} more` : ''}`
}

/** Registers without attributes of their own share one object. */
function seriesOf({ name, unit, kind, attributes }: Register, shared: Attributes): Series {
  const all = Object.keys(attributes).length === 0 ? shared : { ...shared, ...attributes }
  return { name, unit, kind, attributes: all }
}

function event(name: string, brief: string): EventKind {
  return { name: `modbus.${name}`, attributes: own, origin: 'Modbus', brief }
}
