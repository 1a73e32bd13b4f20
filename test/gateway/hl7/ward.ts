// Messages through the mapper, as a source would hand them.

import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import type { Observation } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { Lexicon } from '../../../gateway/hl7/lexicon.ts'
import { map } from '../../../gateway/hl7/map.ts'
import { openMemory } from '../../../gateway/hl7/memory.ts'
import { parse } from '../../../gateway/hl7/message.ts'
import { readKeys } from '../../../gateway/hl7/pseudonym.ts'
import { Standings } from '../../../gateway/hl7/standing.ts'
import { type WardOptions, wardOptions } from '../../../gateway/hl7/ward.ts'

/** 2026-11-26 10:00:00 UTC: when messages come unless a test says otherwise. */
export const received = Date.UTC(2026, 10, 26, 10)

export const keyText = `2026-11-01 ${'5a'.repeat(32)}\n`

export interface Ward {
  /** Maps and remembers. */
  take(message: string | Uint8Array, time?: number): Observation
  /** Maps, and forgets as if it could not be stored. */
  fail(message: string | Uint8Array, time?: number): Observation
  /** All that was taken is as durable as it has to be. */
  saved(): Promise<unknown>
}

/** `options`: as a configuration file writes them. `keys`: empty for none. */
export function ward(options: object = {}, keep: Keep = memoryKeep(), keys = keyText): Ward {
  const read = optionsOf(options)
  const memory = openMemory(keep)
  const lexicon = new Lexicon(read.local_codes)
  const standings = new Standings()
  const pseudonyms = keys === '' ? undefined : readKeys(keys, read.key_overlap)
  const mapped = (message: string | Uint8Array, time: number) => {
    const draft = memory.draft(time)
    const bytes = typeof message === 'string' ? Buffer.from(message.replace(/\n/g, '\r')) : message
    try {
      return {
        draft,
        observation: map(parse(bytes), { source: 'hl7', time, options: read, pseudonyms, lexicon, standings, draft }),
      }
    } catch (error) {
      draft.drop()
      throw error
    }
  }
  const commits: Promise<void>[] = []
  return {
    take(message, time = received) {
      const { draft, observation } = mapped(message, time)
      commits.push(draft.commit())
      return observation
    },
    fail(message, time = received) {
      const { draft, observation } = mapped(message, time)
      draft.drop()
      return observation
    },
    saved: () => Promise.all(commits.splice(0)),
  }
}

export function optionsOf(options: object): WardOptions {
  const place = new Place()
  const read = wardOptions.read(options, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  return read
}

/** One a line: what a person compares. */
export function plain({ samples, events }: Observation) {
  return {
    samples: samples.map(({ series: { name, unit, kind, attributes }, time, value }) => ({
      name,
      value,
      unit,
      kind,
      time: new Date(time).toISOString(),
      attributes,
    })),
    events: events.map(({ time, ...rest }) => ({ ...rest, time: new Date(time).toISOString() })),
  }
}

/** Several messages in one text, each from its MSH on. */
export function messagesOf(text: string): readonly string[] {
  return text.split(/\n(?=MSH)/).map(m => m.trim())
}
