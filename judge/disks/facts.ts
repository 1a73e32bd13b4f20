// What a drive says of itself and nobody has to guess: its verdict, the bits of its critical warning, its spare, its
// self-test, and errors of its media that grew. Pure.

import { day } from './past.ts'
import type { Said } from './report.ts'
import type { Word } from './saying.ts'

export interface Fact {
  readonly severity: 'warning' | 'critical'
  readonly words: string
}

/** Errors of the media of NVMe, which no model was trained on: that they grew is news for so long. */
export interface MediaErrors {
  value: number
  /** The highest ever seen: one that comes back to it had been misread. */
  high: number
  /** What it was before it grew, and when it grew last. */
  from: number
  grown: number | null
}

const newsFor = 30 * day

export function observeMedia(media: MediaErrors | null, value: number, time: number): MediaErrors {
  if (media === null) return { value, high: value, from: value, grown: null }
  if (value <= media.high) return { ...media, value }
  const from = hasGrown(media, time) ? media.from : media.high
  return { value, high: value, from, grown: time }
}

function hasGrown({ grown }: MediaErrors, time: number): boolean {
  return grown !== null && time - grown < newsFor
}

/** NVM Express Base Specification 2.0, figure 207, critical warning. */
const warnings: readonly (readonly [Word, Fact])[] = [
  [
    'warns_reliability',
    { severity: 'critical', words: 'its reliability is degraded by errors of the media or inside' },
  ],
  ['warns_read_only', { severity: 'critical', words: 'it has become read-only' }],
  ['warns_temperature', { severity: 'warning', words: 'its temperature is beyond a threshold' }],
  ['warns_backup', { severity: 'warning', words: 'the backup of its volatile memory failed' }],
  ['warns_persistent_memory', { severity: 'warning', words: 'its persistent memory is unreliable' }],
]

/** The gravest first. */
export function factsOf(said: Said, media: MediaErrors | null, time: number): readonly Fact[] {
  const facts: Fact[] = []
  if (said.failed === 1) facts.push({ severity: 'critical', words: 'it says that it has failed' })
  if (said.predicted_failure === 1) facts.push({ severity: 'critical', words: 'it predicts its own failure' })
  if (isSpareLow(said)) facts.push({ severity: 'critical', words: spareWords(said) })
  for (const [word, fact] of warnings) if (said[word] === 1) facts.push(fact)
  if (said.degraded === 1 && facts.length === 0) {
    facts.push({ severity: 'warning', words: 'it says that it is degraded' })
  }
  if (said.self_test_failed === 1) facts.push({ severity: 'warning', words: 'its last self-test found a fault' })
  if (media !== null && hasGrown(media, time)) {
    facts.push({ severity: 'warning', words: `errors of its media grew from ${media.from} to ${media.value}` })
  }
  return facts
}

function isSpareLow({ warns_spare, spare, spare_limit }: Said): boolean {
  return warns_spare === 1 || (spare !== undefined && spare_limit !== undefined && spare < spare_limit)
}

function spareWords({ spare, spare_limit }: Said): string {
  if (spare === undefined || spare_limit === undefined) return 'its spare capacity is below its threshold'
  return `its spare capacity is ${percent(spare)}, below its threshold of ${percent(spare_limit)}`
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
