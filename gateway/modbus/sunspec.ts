// A device that tells itself which models it has: a marker, then models one after another, each with its id and length,
// until the id 0xFFFF (SunSpec Device Information Model Specification, "Device Modbus map"). Nothing of it is believed: the
// chain is cut where it would leave the addresses or does not end.

import type { Surroundings } from '../../agent/source.ts'
import type { Observation } from '../../core/model.ts'
import { Device, type DeviceOptions } from './device.ts'
import { type Asks, ModbusException } from './pdu.ts'
import { type Found, registersOf, type SunspecMap } from './sunspec-map.ts'

const marker = 'SunS'
const endId = 0xffff
/** Far more than any device has. */
const mostModels = 256
/** A changed device is noticed after so long, ms. */
const walkEvery = 600_000

export interface Chain {
  readonly base: number
  readonly models: readonly Found[]
  /** Why it was cut; undefined where it ended as it should. */
  readonly cut: string | undefined
}

/** @throws Error when there is no marker at any base, or the link fails. */
export async function walk(asks: Pick<Asks, 'read'>, bases: readonly number[]): Promise<Chain> {
  let trouble: unknown
  for (const base of bases) {
    try {
      if ((await pairAt(asks, base)).toString('latin1') === marker) return await follow(asks, base)
    } catch (error) {
      if (!(error instanceof ModbusException)) trouble ??= error
    }
  }
  throw trouble ?? new Error(`no SunSpec map: there is no ${marker} at ${bases.join(', ')}`)
}

async function follow(asks: Pick<Asks, 'read'>, base: number): Promise<Chain> {
  const models: Found[] = []
  let address = base + 2
  for (;;) {
    const header = await headerAt(asks, address)
    if (typeof header === 'string') return { base, models, cut: header }
    const { id, length } = header
    if (id === endId) return { base, models, cut: undefined }
    const cut = reasonToCut(id, address + 2 + length, models.length)
    if (cut !== undefined) return { base, models, cut }
    models.push({ id, address: address + 2, length })
    address += 2 + length
  }
}

function reasonToCut(id: number, end: number, known: number): string | undefined {
  if (id === 0) return 'a model has the id 0'
  if (end > 65_534) return `model ${id} would reach past the last address`
  return known >= mostModels ? `there are more than ${mostModels} models` : undefined
}

/** The id and length of a model, or why the device does not give them. */
async function headerAt(asks: Pick<Asks, 'read'>, address: number): Promise<{ id: number; length: number } | string> {
  try {
    const bytes = await pairAt(asks, address)
    return { id: bytes.readUInt16BE(0), length: bytes.readUInt16BE(2) }
  } catch (error) {
    if (error instanceof ModbusException) return error.message
    throw error
  }
}

function pairAt(asks: Pick<Asks, 'read'>, address: number): Promise<Buffer> {
  return asks.read({ table: 'holding-register', address, count: 2 })
}

export interface SunspecOptions extends DeviceOptions {
  readonly sunspec: SunspecMap
}

/** Reads the models that the chain leads to, and the registers that the configuration names beside them. */
export class SunspecDevice {
  readonly #options: SunspecOptions
  readonly #at: Omit<Surroundings, 'keep'>
  readonly #asks: Pick<Asks, 'read'>
  #device: Device | undefined
  #chain = ''
  #walkAt = Number.NEGATIVE_INFINITY
  #bases: readonly number[]

  constructor(options: SunspecOptions, at: Omit<Surroundings, 'keep'>, asks: Pick<Asks, 'read'>) {
    this.#options = options
    this.#bases = options.sunspec.bases
    this.#at = at
    this.#asks = asks
  }

  /** @throws when there is no chain, or nothing of it can be read. */
  async read(): Promise<Observation> {
    const isNew = this.#at.host.monotonic() >= this.#walkAt && (await this.#walk())
    const observation = await this.#device!.read()
    // What the device does not have is no news.
    return isNew ? { ...observation, events: observation.events.filter(e => e.name !== quality) } : observation
  }

  /** A device may be silent where it has nothing, and then rests: the next attempt begins at the next base. */
  async #find(): Promise<Chain> {
    try {
      return await walk(this.#asks, this.#bases)
    } catch (error) {
      this.#bases = [...this.#bases.slice(1), ...this.#bases.slice(0, 1)]
      throw error
    }
  }

  /** Whether there is something else than before. */
  async #walk(): Promise<boolean> {
    const { sunspec, registers } = this.#options
    const chain = await this.#find()
    const found = registersOf(sunspec, chain.models)
    const ids = chain.models.map(m => m.id).join(', ')
    if (found.length === 0) throw new Error(`the SunSpec map at ${chain.base} has no model that is known here: ${ids}`)
    this.#walkAt = this.#at.host.monotonic() + walkEvery
    const told = JSON.stringify(chain)
    if (told === this.#chain) return false
    this.#chain = told
    this.#device = new Device({ ...this.#options, registers: [...registers, ...found] }, this.#at, this.#asks)
    if (chain.cut !== undefined)
      this.#at.say(
        'warning',
        `the SunSpec map at ${chain.base} does not end as it should: ${chain.cut}; read are ${ids}`,
        {
          source: this.#at.name,
        },
      )
    return true
  }
}

const quality = 'modbus.quality_changed'
