// What judgement at an edge remembers over restarts: what each watch has learned, what is going wrong, and what of it is not
// told yet. One text, replaced whole. What is damaged, or was made by another definition of a rule, is as good as none; but
// a finding that was open under it has then ended.

import type { FindingState } from '../../core/finding-event.ts'
import type { Finding, Series } from '../../core/model.ts'
import { isMap } from '../../core/shape.ts'
import type { Saved } from '../../judge/watch.ts'
import { type Keep, savedJson } from '../keep.ts'

export interface KeptWatch extends Omit<Saved, 'since'> {
  readonly rule: string
  readonly definition: string
  /** Absent: of all series that the rule judges together. */
  readonly series?: Series
  /** When its series was heard last, by the host's clock. */
  readonly at: number
  readonly finding?: Finding
}

/** News of a finding. */
export interface Told {
  readonly finding: Finding
  readonly state: FindingState
  /** When it was news, by the host's clock: the time of its event. */
  readonly at: number
}

export interface Memory {
  readonly watches: readonly KeptWatch[]
  readonly untold: readonly Told[]
}

const none: Memory = { watches: [], untold: [] }

/** Empty where there is nothing to remember. */
export function memoryText(memory: Memory): string {
  return memory.watches.length + memory.untold.length === 0 ? '' : JSON.stringify(memory)
}

export function readMemory(keep: Pick<Keep, 'load'>): Memory {
  const raw = savedJson(keep)
  if (!isMap(raw) || !Array.isArray(raw.watches) || !Array.isArray(raw.untold)) return none
  return { watches: raw.watches.filter(isWatch), untold: raw.untold.filter(isTold) }
}

function isWatch(raw: unknown): raw is KeptWatch {
  if (!isMap(raw) || raw.state === undefined || !isAbout(raw)) return false
  const isOpen = raw.finding === undefined || isFinding(raw.finding)
  return isOpen && [raw.rule, raw.definition].every(isText) && [raw.last, raw.at].every(isNumber)
}

function isTold(raw: unknown): raw is Told {
  return isMap(raw) && isFinding(raw.finding) && isText(raw.state) && isNumber(raw.at)
}

function isFinding(raw: unknown): raw is Finding {
  if (!isMap(raw) || !isMap(raw.subject) || !isAbout(raw.subject) || !isMap(raw.evidence)) return false
  return [raw.rule, raw.kind, raw.severity, raw.message].every(isText) && isNumber(raw.since)
}

function isAbout({ series }: Readonly<Record<string, unknown>>): boolean {
  return series === undefined || isSeries(series)
}

function isSeries(raw: unknown): raw is Series {
  return isMap(raw) && [raw.name, raw.unit, raw.kind].every(isText) && isMap(raw.attributes)
}

function isText(raw: unknown): raw is string {
  return typeof raw === 'string'
}

function isNumber(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isFinite(raw)
}
