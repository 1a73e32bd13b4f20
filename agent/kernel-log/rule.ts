// How a family of messages is told apart, and what is taken from them: a table of patterns for each family. A rule is
// data; interpreter.ts applies it.

import type { Attributes, Json, Severity } from '../../core/model.ts'
import type { EventName } from './events.ts'

export type Fields = Readonly<Record<string, Json>>

/** What a message, or several that belong together, tell. */
export interface Told {
  readonly event: EventName
  readonly severity: Severity
  /** What it is about. */
  readonly attributes: Attributes
  readonly fields: Fields
}

export interface Rule {
  readonly event: EventName
  readonly severity: Severity
  /** Its named groups become fields, and attributes where `attributeOf` names them. A group that took nothing is absent. */
  readonly pattern: RegExp
  /** Messages that follow within a second and belong to it; a group that both have must say the same. */
  readonly more?: readonly RegExp[]
  /** The last of them: then nothing more is waited for. */
  readonly last?: RegExp
  /** What the fields mean, asked once all are known; undefined where it is nothing worth telling after all. */
  readonly refine?: (fields: Fields) => Refined | undefined
}

export interface Refined {
  readonly severity?: Severity
  /** Fields to add or to replace. */
  readonly fields?: Fields
}

/** Groups that say what an event is about. */
export const attributeOf: Readonly<Record<string, string>> = {
  /** A PCI address, an ATA port, an NVMe controller, a memory controller, a zone: hardware by the kernel's own name. */
  hw: 'hw.id',
  disk: 'system.device.name',
  nic: 'network.interface.name',
  cpu: 'cpu.logical_number',
}

/** Groups that stay texts though they may look like numbers: names, and what the kernel writes in hexadecimal. */
const texts: ReadonlySet<string> = new Set(
  'hw disk nic process task cgroup function slot address ip apic microcode mcgstatus misc status opcode id'.split(' '),
)

/** The named groups of a match, decimal numbers as numbers. */
export function fieldsOf(groups: Readonly<Record<string, string | undefined>> = {}): Fields {
  const fields: Record<string, Json> = {}
  for (const [name, text] of Object.entries(groups)) {
    if (text !== undefined && text !== '') fields[name] = texts.has(name) ? text.trim() : jsonOf(text.trim())
  }
  return fields
}

function jsonOf(text: string): Json {
  return /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text
}

/** A number among the fields. */
export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' ? value : undefined
}

/** A text among the fields, the empty one where it is absent. */
export function textOf(fields: Fields, name: string): string {
  return fields[name] === undefined ? '' : String(fields[name])
}
