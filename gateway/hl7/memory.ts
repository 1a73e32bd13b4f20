// What the mapper remembers between messages: who lies where, which device stands where, which alerts are on, what was
// last said of a series or a clock. A message works on a draft; nothing of it is remembered until what was made of the
// message is durable, so that a message that comes again is mapped as if for the first time. A draft sees what those
// before it hold that are still on their way to the disk. No identifier is in it, only pseudonyms and places.

import type { Keep } from '../../agent/keep.ts'
import type { Series } from '../../core/model.ts'

/** A patient in a bed; `to` once the stay has ended. Times in ms since the epoch. */
export interface Stay {
  readonly patient: string
  readonly visit?: string
  readonly from: number
  readonly to?: number
}

export interface Alert {
  readonly id: string
  readonly since: number
  readonly state: string
}

/** A map as far as the mapper needs one. */
export interface Table<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

export interface Tables {
  /** Of a bed: its stays, newest first. */
  readonly beds: Table<readonly Stay[]>
  /** Of a patient's pseudonym: the bed. */
  readonly whereabouts: Table<string>
  /** Of a device: the bed it was last seen at. */
  readonly devices: Table<string>
  /** Alerts that have begun and not ended, by their id and by what else they are recognised by. */
  readonly alerts: Table<Alert>
  /** Of a series: why it has no value now. Of a device: that its clock is wrong. Not kept over restarts. */
  readonly told: Table<string>
}

export interface Draft extends Tables {
  /** One object for one series: identity makes encoding cheap. `key` tells all that makes it another one. */
  series(key: string, make: () => Series): Series
  /** What this message changed is remembered from now on, and is durable when this returns where it has to be. */
  commit(): void
  /** Forgets what this message changed. After a commit it does nothing. */
  drop(): void
}

export interface Memory {
  draft(): Draft
}

const kept = ['beds', 'whereabouts', 'devices', 'alerts'] as const
const names = [...kept, 'told'] as const
/** Entries of one table; the oldest go. */
const most = 10_000
const maxText = 16 * 1024 ** 2

type Maps = { readonly [K in keyof Tables]: Map<string, unknown> }

export function openMemory(keep: Keep): Memory {
  const maps = Object.fromEntries(names.map(name => [name, new Map<string, unknown>()])) as unknown as Maps
  load(keep.load(), maps)
  const known = new Map<string, Series>()

  const series: Draft['series'] = (key, make) => {
    let one = known.get(key)
    if (one === undefined) {
      if (known.size >= most) known.clear()
      one = make()
      known.set(key, one)
    }
    return one
  }

  /** Drafts on their way, the newest first. */
  let open: readonly Layers[] = []

  return {
    draft() {
      const below = open
      const layers = layersOver(maps, below)
      open = [layers, ...open]
      const close = (): void => {
        open = open.filter(one => one !== layers)
      }
      const drop = (): void => {
        close()
        for (const name of names) layers[name].drop()
      }
      const commit = (): void => {
        close()
        const changed = names.filter(name => layers[name].apply())
        if (kept.some(name => changed.includes(name))) keep.save(textOf(maps))
      }
      return { ...(layers as unknown as Tables), series, commit, drop }
    },
  }
}

type Layers = { readonly [K in keyof Tables]: Layer<unknown> }

function layersOver(maps: Maps, below: readonly Layers[]): Layers {
  const layer = (name: keyof Tables) =>
    new Layer(
      maps[name],
      below.map(layers => layers[name]),
    )
  return Object.fromEntries(names.map(name => [name, layer(name)])) as unknown as Layers
}

/** What a message changed, over what was there before. */
class Layer<V> implements Table<V> {
  readonly #base: Map<string, V>
  /** Of messages before it; what they held is in the base by the time that they are applied. */
  #below: readonly Layer<V>[]
  readonly #changes = new Map<string, V | undefined>()

  constructor(base: Map<string, V>, below: readonly Layer<V>[]) {
    this.#base = base
    this.#below = below
  }

  get(key: string): V | undefined {
    if (this.#changes.has(key)) return this.#changes.get(key)
    for (const layer of this.#below) if (layer.#changes.has(key)) return layer.#changes.get(key)
    return this.#base.get(key)
  }

  set(key: string, value: V): void {
    this.#changes.set(key, value)
  }

  delete(key: string): void {
    if (this.get(key) !== undefined) this.#changes.set(key, undefined)
  }

  /** Whether anything became different. */
  apply(): boolean {
    let changed = false
    for (const [key, value] of this.#changes) {
      const before = this.#base.get(key)
      if (before === value || JSON.stringify(before) === JSON.stringify(value)) continue
      changed = true
      this.#base.delete(key)
      if (value !== undefined) this.#base.set(key, value)
    }
    this.drop()
    for (const key of this.#base.keys()) {
      if (this.#base.size <= most) break
      this.#base.delete(key)
    }
    return changed
  }

  /** Holds nothing any more: whoever was opened over it sees what is below. */
  drop(): void {
    this.#changes.clear()
    this.#below = []
  }
}

function textOf(maps: Maps): string {
  return JSON.stringify(Object.fromEntries(kept.map(name => [name, [...maps[name]]])))
}

/** What is damaged is as good as absent: the next messages tell it anew. */
function load(text: string | undefined, maps: Maps): void {
  if (text === undefined || text.length > maxText) return
  try {
    const saved = JSON.parse(text) as Partial<Record<string, readonly (readonly [string, unknown])[]>>
    for (const name of kept) for (const [key, value] of saved[name] ?? []) maps[name].set(key, value)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
  }
}
