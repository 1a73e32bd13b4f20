// An incident as a view tells it, made of findings that a test gives.

import type { FindingView, IncidentDetail } from '../../../collector/api/view.ts'

/** The first is the cause. */
export function incidentOf(timeline: readonly FindingView[], more: Partial<IncidentDetail> = {}): IncidentDetail {
  const [finding] = timeline
  const since = Math.min(...timeline.map(f => f.since))
  const nodes = [...new Set(timeline.map(f => f.subject.node))]
  return {
    id: '0123456789ab',
    severity: finding!.severity,
    since,
    latest: Math.max(...timeline.map(f => f.since)),
    findings: timeline.length,
    openFindings: timeline.filter(f => f.until === undefined).length,
    lowered: 0,
    hosts: nodes.length,
    nodes,
    place: {},
    simulated: false,
    cause: { finding: finding!, ground: 'first', after: 0, reason: `${finding!.rule}: it began first` },
    evidence: timeline,
    charts: [],
    from: since - 300_000,
    to: since + 300_000,
    timeline,
    more: false,
    ...more,
  }
}
