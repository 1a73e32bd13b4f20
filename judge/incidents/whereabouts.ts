// Which incidents were lately where: at a host, at a part of it, at a place. The newest first, and a bounded number.

import type { Alive } from './common.ts'
import { narrowest, type Place, type Where } from './place.ts'

export interface Entry {
  readonly incident: string
  /** Of its finding that was there last. */
  readonly place: Place
}

/** Incidents remembered of one host or place. */
const mostOfKey = 8
/** Hosts, and places. */
const mostKeys = 50_000

export class Whereabouts {
  readonly #hosts = new Map<string, readonly Entry[]>()
  readonly #places = new Map<string, readonly Entry[]>()

  /** At the part of the host that the series tells, then at the host as a whole. */
  atHost(where: Where): readonly Entry[] {
    return partsOf(where).flatMap(key => this.#hosts.get(key) ?? [])
  }

  /** At the narrowest place that is told. */
  atPlace({ place }: Where): readonly Entry[] {
    const key = placeKey(place)
    return (key !== undefined && this.#places.get(key)) || []
  }

  /** Whether the host is new to the incident. */
  enter(incident: string, where: Where, alive: Alive): boolean {
    const { host, place } = where
    const isNew = !this.#hosts.get(host)?.some(entry => alive(entry.incident) === incident)
    for (const key of partsOf(where)) enter(this.#hosts, key, { incident, place }, alive)
    const key = placeKey(place)
    if (key !== undefined) enter(this.#places, key, { incident, place }, alive)
    return isNew
  }
}

function enter(index: Map<string, readonly Entry[]>, key: string, entry: Entry, alive: Alive): void {
  const others = (index.get(key) ?? []).filter(other => alive(other.incident) !== entry.incident)
  // What was used last is put last, so that the first has rested longest.
  index.delete(key)
  index.set(key, [entry, ...others].slice(0, mostOfKey))
  if (index.size <= mostKeys) return
  const { value } = index.keys().next()
  if (value !== undefined) index.delete(value)
}

function partsOf({ host, within }: Pick<Where, 'host' | 'within'>): readonly string[] {
  const part = placeKey(within)
  return part === undefined ? [host] : [`${host} ${part}`, host]
}

function placeKey(place: Place): string | undefined {
  const level = narrowest(place)
  return level && `${level}=${place[level]}`
}
