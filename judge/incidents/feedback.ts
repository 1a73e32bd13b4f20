// "Not a problem": what somebody said of a finding, and which later findings it is about. It lowers that pattern and
// nothing else: the same rule about the same metric, on the same node or at the same place, no more severe than what was
// said to be none.

import { type Severity, severities } from '../../core/model.ts'
import { levels, type Place, type Where } from './place.ts'

export interface Pattern {
  readonly rule: string
  /** null: a finding about a node as a whole. */
  readonly metric: string | null
  /** One of the two: this node, or every node at this place. */
  readonly node: string | null
  readonly place: Place | null
  /** The most severe that it is about. */
  readonly severity: Severity
}

export interface Judged {
  readonly rule: string
  readonly metric: string | null
  readonly node: string
  readonly severity: Severity
}

export function fits(
  pattern: Pattern,
  { rule, metric, node, severity }: Judged,
  { place }: Pick<Where, 'place'>,
): boolean {
  if (pattern.rule !== rule || pattern.metric !== metric) return false
  if (severities.indexOf(severity) > severities.indexOf(pattern.severity)) return false
  if (pattern.node !== null) return pattern.node === node
  return levels.every(level => pattern.place?.[level] === undefined || pattern.place[level] === place[level])
}

/** What is said of several findings at once: of each node, or of the place where they all are, where these are many nodes. */
export function patternsOf(findings: readonly Judged[], place: Place): readonly Pattern[] {
  const isPlace = new Set(findings.map(({ node }) => node)).size > 1 && levels.some(level => place[level] !== undefined)
  const patterns = new Map<string, Pattern>()
  for (const { rule, metric, node, severity } of findings) {
    const whose = isPlace ? { node: null, place } : { node, place: null }
    const key = JSON.stringify([rule, metric, whose.node])
    const known = patterns.get(key)
    if (known === undefined || severities.indexOf(known.severity) < severities.indexOf(severity))
      patterns.set(key, { rule, metric, ...whose, severity })
  }
  return [...patterns.values()]
}
