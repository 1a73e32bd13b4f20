// What findings and incidents are known by, made of a finding's key (`findingKey`).

import { createHash } from 'node:crypto'
import type { Attributes, Finding, Series } from '../core/model.ts'
import { readJson } from './store/read-json.ts'

/** Stays the same from opening to closing and over restarts. */
export function findingId(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22)
}

/** Short enough to be typed; of the finding that opened it. */
export function incidentId(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12)
}

/** A key without its time: the same rule about the same subject. */
export function sameOf(key: string): string {
  return key.slice(0, key.lastIndexOf(','))
}

type Key = readonly [
  rule: string,
  node: string,
  series:
    | readonly [name: string, unit: string, kind: Series['kind'], attributes: readonly [string, Attributes[string]][]]
    | null,
  since: number,
]

/** As much of a finding as its key tells; undefined where damage made it something else. */
export function fromKey(key: string, until: number): Finding | undefined {
  const read = readJson(key) as Key | undefined
  if (read === undefined) return undefined
  const [rule, node, about, since] = read
  const series = about && { name: about[0], unit: about[1], kind: about[2], attributes: Object.fromEntries(about[3]) }
  const subject = series === null ? { node } : { node, series }
  return { rule, kind: '', subject, severity: 'info', since, until, message: '', evidence: {} }
}
