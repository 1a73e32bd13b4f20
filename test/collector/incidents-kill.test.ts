import { join } from 'node:path'
import t from 'tap'
import { openHistory } from '../../collector/store/history.ts'
import { findingKey, Records } from '../../collector/store/records.ts'
import { seeded } from '../random.ts'
import { noon } from './ingest/envelopes.ts'
import { runAndKill } from './store/run-and-kill.ts'

const writer = join(import.meta.dirname, 'incidents-writer.ts')

t.test('killed at random moments, findings and incidents are of one moment', async t => {
  const dice = seeded(t)
  const folder = t.testdir()
  const ids = new Set<string>()
  for (let round = 0; round < 5; round++) {
    const reported = await runAndKill(writer, folder, 1 + dice.below(4), dice.below(20))
    const history = openHistory({ folder, say: () => {}, now: () => noon })
    const records = new Records({ db: history.db, file: history })
    const findings = records.findings({ limit: 1_000_000 })
    t.ok(findings.length >= reported && findings.length % 25 === 0, `${findings.length} found, ${reported} reported`)
    const marks = findings.map(finding => records.incidents.marked(findingKey(finding))?.incident)
    t.ok(
      marks.every(incident => incident != null),
      'each belongs somewhere',
    )
    const incidents = records.incidents.find({ limit: 1_000_000 })
    for (const { id, findings } of incidents) {
      const own = marks.filter(mark => mark === id).length
      t.equal(own, findings, `${id} counts what belongs to it`)
    }
    for (const id of ids) t.not(records.incidents.get(id), undefined, `${id} is still there`)
    for (const { id } of incidents) ids.add(id)
    history.close()
  }
})
