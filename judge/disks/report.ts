// One report of a drive: what it said at one moment, and that as a reading. Pure.

import { type CountName, counts, type Medium, type Reading, unpackTimeouts } from './reading.ts'
import type { Word } from './saying.ts'

export type Said = Partial<Record<Word, number>>

export interface Report {
  readonly time: number
  readonly said: Said
  /** As its size told it. */
  readonly medium: Medium | undefined
}

/** What other kinds of drives call what ATA counts in an attribute. */
const otherwise: Readonly<Partial<Record<CountName, readonly Word[]>>> = {
  reallocated: ['grown_defects'],
  pending: ['waiting_defects'],
  uncorrected: ['uncorrected_read', 'uncorrected_write', 'uncorrected_verify'],
  power_cycles: ['starts'],
}

/** A drive that sleeps says nothing else. */
export function saysNothing(said: Said): boolean {
  return Object.keys(said).every(word => word === 'awake')
}

export function readingOf(drive: string, { time, said, medium }: Report): Reading {
  const told: Partial<Record<CountName, number>> = {}
  for (const name of counts) {
    const value = said[name] ?? sum(said, otherwise[name] ?? [])
    if (value !== undefined) told[name] = name === 'timeouts' ? unpackTimeouts(value) : value
  }
  const { seconds_on, bytes } = said
  return {
    time,
    drive,
    // Only flash tells how worn it is; some do not say that they do not spin.
    medium: medium ?? (said.used === undefined ? undefined : 'flash'),
    hours: seconds_on === undefined ? said.hours : seconds_on / 3600,
    terabytes: bytes === undefined ? undefined : terabytesOf(bytes),
    counts: told,
  }
}

/** As drives are sold, and as the data has it that the model was trained on. */
function terabytesOf(bytes: number): number {
  return Math.max(1, Math.round(bytes / 1e11)) / 10
}

function sum(said: Said, words: readonly Word[]): number | undefined {
  const found = words.flatMap(word => said[word] ?? [])
  return found.length === 0 ? undefined : found.reduce((a, b) => a + b)
}
