// One pass over a device's registers: blocks in, samples out. What the device refuses is told once and left out; the
// rest goes on, and a register that appears later is picked up.

import type { Surroundings } from '../../agent/source.ts'
import type { Attributes, Observation, Sample, Series } from '../../core/model.ts'
import { decode } from './decode.ts'
import { ModbusException } from './pdu.ts'
import { apart, type Block, type Bounds, plan } from './plan.ts'
import type { Register } from './registers.ts'

export interface DeviceOptions extends Bounds {
  readonly registers: readonly Register[]
  readonly attributes: Attributes
}

/** Reads one block's data bytes; throws ModbusException where the device refuses. */
export type ReadBlock = (block: Block) => Promise<Buffer>

export class Device {
  readonly #at: Omit<Surroundings, 'keep'>
  readonly #read: ReadBlock
  readonly #series: ReadonlyMap<Register, Series>
  readonly #refused = new Map<Register, string>()
  #blocks: readonly Block[]

  constructor(options: DeviceOptions, at: Omit<Surroundings, 'keep'>, read: ReadBlock) {
    this.#at = at
    this.#read = read
    this.#blocks = plan(options.registers, options)
    this.#series = new Map(options.registers.map(r => [r, seriesOf(r, options.attributes, at.name)]))
  }

  /** @throws when the link breaks, or when the device refuses every register. */
  async read(): Promise<Observation> {
    const samples: Sample[] = []
    const blocks: Block[] = []
    for (const block of this.#blocks) blocks.push(...(await this.#readBlock(block, samples)))
    this.#blocks = blocks
    if (samples.length === 0 && this.#refused.size > 0) throw new Error([...this.#refused.values()][0])
    return { samples, events: [] }
  }

  /** Gives the blocks to read next time: those of a refused block one by one. */
  async #readBlock(block: Block, samples: Sample[]): Promise<readonly Block[]> {
    try {
      const bytes = await this.#read(block)
      const time = this.#at.host.now()
      for (const register of block.registers)
        this.#take(register, decode(register, bytes, register.address - block.address), time, samples)
      return [block]
    } catch (error) {
      if (!(error instanceof ModbusException)) throw error
      if (block.registers.length === 1) return this.#refuse(block, error)
      const parts = apart(block)
      for (const part of parts) await this.#readBlock(part, samples)
      return parts
    }
  }

  #take(register: Register, value: number | undefined, time: number, samples: Sample[]): void {
    if (this.#refused.delete(register))
      this.#at.say('info', `register ${register.name} can be read now`, { source: this.#at.name })
    if (value !== undefined) samples.push({ series: this.#series.get(register)!, time, value })
  }

  #refuse(block: Block, error: ModbusException): readonly Block[] {
    const register = block.registers[0]!
    if (this.#refused.get(register) !== error.message) {
      this.#refused.set(register, error.message)
      this.#at.say('warning', `register ${register.name} is left out: ${error.message}`, { source: this.#at.name })
    }
    return [block]
  }
}

function seriesOf(register: Register, shared: Attributes, source: string): Series {
  const { name, unit, kind, attributes } = register
  return { name, unit, kind, attributes: { source, ...shared, ...attributes } }
}
