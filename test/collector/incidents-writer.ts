// Finds things and writes them until it is killed; the n-th finding began n half minutes after noon.

import { Incidents } from '../../collector/incidents.ts'
import { openHistory } from '../../collector/store/history.ts'
import { type RecordChange, Records } from '../../collector/store/records.ts'
import { noon } from './ingest/envelopes.ts'

const history = openHistory({ folder: process.argv[2]!, say: () => {}, now: () => noon })
const records = new Records({ db: history.db, file: history, changed: change => changed(change) })
const incidents = new Incidents({ records, mutes: [] })
const changed = (change: RecordChange): void => {
  if (change.kind === 'finding') incidents.take(change.finding)
}
const told = { kind: 'k', severity: 'warning', message: '', evidence: {} } as const

for (let next = records.findings({ limit: 100_000 }).length; ; next++) {
  const finding = { ...told, rule: `r${next % 3}`, subject: { node: `h-${next % 7}` }, since: noon + next * 30_000 }
  records.finding(finding)
  if (next % 2 === 0) records.finding({ ...finding, until: finding.since + 500 })
  if (next % 25 !== 24) continue
  records.writeFindings()
  process.stdout.write(`${next + 1}\n`)
}
