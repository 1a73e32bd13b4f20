// Status codes (OPC 10000-4, 7.39): what a value is worth.

import type { StatusCode } from 'node-opcua-client'
import type { Severity } from '../../core/model.ts'

export interface Quality {
  readonly class: 'good' | 'uncertain' | 'bad'
  readonly severity: Severity
  /** The code's name, as the standard has it. */
  readonly text: string
}

const good: Quality = { class: 'good', severity: 'info', text: 'Good' }
/** The server says it is good and gives nothing that is a value. */
export const empty: Quality = { class: 'bad', severity: 'warning', text: 'Good, but no value' }
export const unreadable: Quality = {
  class: 'bad',
  severity: 'warning',
  text: 'a structure whose type the server does not tell',
}

/** One object a code, so that a change is seen by identity. */
const known = new Map<number, Quality>([[0, good]])

/** The code without its lower half, which says how the value came (7.39.1). */
export function qualityOf({ value, name }: StatusCode): Quality {
  const code = value & 0xffff_0000
  if (value >>> 30 === 0) return good
  const before = known.get(code)
  if (before !== undefined) return before
  // The library appends what the lower half says: `Bad#Overflow`.
  const text = name.split(/[#;]/)[0]!
  const quality: Quality = { class: value >>> 30 === 1 ? 'uncertain' : 'bad', severity: 'warning', text }
  known.set(code, quality)
  return quality
}

/** Whether the server's queue ran over since the value before: the bits InfoType = DataValue and Overflow (Table 175). */
export function isOverflow({ value }: StatusCode): boolean {
  return (value & 0x0c80) === 0x0480
}
