// The mapper of one source: what its configuration says, the keys of its pseudonyms, and what it remembers.

import { readFileSync } from 'node:fs'
import type { Keep } from '../../agent/keep.ts'
import { secretPath } from '../../core/config-shapes.ts'
import { Refused } from '../../core/errors.ts'
import type { Observation } from '../../core/model.ts'
import { Lexicon } from './lexicon.ts'
import { map } from './map.ts'
import { openMemory } from './memory.ts'
import type { Message } from './message.ts'
import { type Pseudonyms, readKeys } from './pseudonym.ts'
import { Standings } from './standing.ts'
import type { WardOptions } from './ward.ts'

export interface Mapped {
  readonly observation: Observation
  /** To be called when the observation is durable; when it resolves the message may be acknowledged. Rejects with the disk's error. */
  commit(): Promise<void>
  /** To be called where it could not be stored: nothing of the message is remembered. */
  drop(): void
}

export interface Mapper {
  /** `time`: when the message came, ms since the epoch. @throws Refused where the message makes no sense. */
  map(message: Message, time: number): Mapped
}

/** @throws Refused where the key file cannot be read or used. */
export function openMapper(
  options: WardOptions,
  { name, keep }: { readonly name: string; readonly keep: Keep },
): Mapper {
  const pseudonyms = options.key_file === undefined ? undefined : keysIn(options.key_file, options.key_overlap)
  const memory = openMemory(keep)
  const lexicon = new Lexicon(options.local_codes)
  const standings = new Standings()
  return {
    map(message, time) {
      const draft = memory.draft(time)
      try {
        const observation = map(message, { source: name, time, options, pseudonyms, lexicon, standings, draft })
        return { observation, commit: draft.commit, drop: draft.drop }
      } catch (error) {
        draft.drop()
        throw error
      }
    },
  }
}

function keysIn(file: string, overlap: number): Pseudonyms {
  let text: string
  try {
    text = readFileSync(secretPath(file), 'utf8')
  } catch (cause) {
    throw new Refused(`cannot read key_file ${file}`, { cause })
  }
  return readKeys(text, overlap)
}
