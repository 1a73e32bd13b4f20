// One metric of Sparkplug, and whose it is: the edge node's own, or a device's.

import type { Event, Series } from '../../core/model.ts'
import type { DataType, Definition, Properties, Value } from './payload.ts'

/** Whether a source goes on working; several devices may hang on one, and a device on several. */
export interface Life {
  /** What its last `fieldline.source.success` said. */
  works: boolean
  /** When its last sample was sent, ms. */
  heard: number
}

export interface Owner {
  /** Undefined: the edge node itself. */
  readonly device: string | undefined
  readonly tags: Set<Tag>
  readonly lives: Set<Life>
  /** A birth of this session told of it, and no death since. */
  isBorn: boolean
  /** It has tags that its last birth did not tell of, or told otherwise. */
  isChanged: boolean
  /** When its last death was told, ms. */
  died: number
}

export interface Tag {
  readonly owner: Owner
  readonly name: string
  /** Unique among all of the edge node (clause payloads-alias-uniqueness). */
  readonly alias: number
  readonly properties: Properties
  /** An event comes and goes: it has no present value that a birth could tell. */
  readonly isEvent: boolean
  readonly life: Life | undefined
  /** Whether its value is that of `life`: `fieldline.source.success`. */
  readonly isPulse: boolean
  /** The source and the name by which it can be written; undefined for what was not read from a device. */
  readonly target: { readonly source: string; readonly name: string } | undefined
  type: DataType
  /** The newest value that was told, or is about to be; null while there is none. */
  value: Value
  time: number
  /** When a sample of it was last sent, ms. */
  heard: number
  /** Forgotten; a sample of it makes a new one. */
  isGone: boolean
}

export function newOwner(device?: string): Owner {
  return { device, tags: new Set(), lives: new Set(), isBorn: false, isChanged: false, died: 0 }
}

const counts = /^(\{.*\}|By|1)$/

/** Whole numbers are told as such where they are counts; everything else is a Double. */
export function typeFor({ kind, unit }: Series, value: number): DataType {
  return kind === 'counter' && counts.test(unit) && fits('UInt64', value) ? 'UInt64' : 'Double'
}

export function fits(type: DataType, value: number): boolean {
  return type !== 'UInt64' || (Number.isSafeInteger(value) && value >= 0)
}

/** `engUnit` is what hosts commonly read the unit from. */
export function propertiesOf({ unit, attributes }: Pick<Series, 'unit' | 'attributes'>): Properties {
  const all = Object.entries(attributes).map(([key, value]) => [key, String(value)] as const)
  return unit === '' || unit === '1' ? all : [['engUnit', unit], ...all]
}

/** As a birth tells of it. What was heard last before its owner died is stale (6.4.9.1: Quality 500). */
export function definition(tag: Tag): Definition {
  const { name, alias, type, time, value, owner, heard } = tag
  const isStale = value !== null && owner.died > 0 && heard <= owner.died
  const properties: Properties = isStale ? [...tag.properties, ['Quality', 500]] : tag.properties
  return { name, alias, type, time, value: tag.isEvent ? null : value, properties }
}

/** What the metric of an event says; its time is the metric's. */
export function eventText({ severity, body, attributes }: Event): string {
  return JSON.stringify({ severity, body, attributes })
}
