// What is wrong with what comes in, as findings: one for each kind and node, open while it goes on and closed when it
// has not been seen for ten minutes.

import { isOfEdge } from '../../core/finding-event.ts'
import type { Finding, Severity } from '../../core/model.ts'
import type { Records } from '../store/records.ts'

export const troubleRules = [
  'name-conflict',
  'refused-data',
  'unreadable-data',
  'unbelievable-times',
  'too-many-series',
  'flood',
  'findings-left-out',
] as const
export type TroubleRule = (typeof troubleRules)[number]

export interface Sighting {
  readonly rule: TroubleRule
  readonly node: string
  /** By the clock of the row it was seen in, so that a replay opens the same finding. */
  readonly time: number
  readonly severity: Severity
  readonly message: string
  readonly evidence: Finding['evidence']
}

const kind = 'ingest'
const quiet = 10 * 60_000

export class Troubles {
  readonly #records: Records
  readonly #open = new Map<string, { finding: Finding; seen: number }>()

  constructor(records: Records) {
    this.#records = records
    for (const finding of records.openFindings()) {
      if (finding.kind === kind && !isOfEdge(finding))
        this.#open.set(keyOf(finding.rule, finding.subject.node), { finding, seen: finding.since })
    }
  }

  /** Cheap where it is going on already. */
  saw({ rule, node, time, severity, message, evidence }: Sighting): void {
    const key = keyOf(rule, node)
    const open = this.#open.get(key)
    if (open !== undefined) {
      open.seen = Math.max(open.seen, time)
      return
    }
    const finding: Finding = { rule, kind, subject: { node }, severity, since: time, message, evidence }
    this.#open.set(key, { finding, seen: time })
    this.#records.finding(finding)
  }

  /** Closes what has not been seen for a while. */
  tick(now: number): void {
    for (const [key, { finding, seen }] of this.#open) {
      if (now - seen < quiet) continue
      this.#open.delete(key)
      this.#records.finding({ ...finding, until: seen })
    }
  }
}

function keyOf(rule: string, node: string): string {
  return `${rule} ${node}`
}
