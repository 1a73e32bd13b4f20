// Reports of real drives that are not part of the project (FIELDLINE_DATA, by default ../shared/data), read by the real
// source and sent to a collector: every drive gets an honest answer.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { smart } from '../../../agent/sources/smart.ts'
import type { Sample } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import type { Drive } from '../../../judge/disks/drive.ts'
import { damage } from '../../../judge/disks/reading.ts'
import { fakeHost } from '../../agent/fake-host.ts'
import { readings } from '../../agent/source-contract.ts'
import { collectorIn, Edge, settled } from '../ingest/collectors.ts'
import { noon } from '../ingest/envelopes.ts'

const folder = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'smartctl')

if (existsSync(folder)) t.test('each of the drives gets an honest answer', answers)
else t.plan(0, `${folder} is missing: set FIELDLINE_DATA to the folder that has it`)

async function answers(t: Test): Promise<void> {
  const files = readdirSync(folder).filter(name => name.endsWith('.json'))
  const limits = { bytes_per_second: 1e9, samples_per_second: 1e9, series: 1e6 }
  const c = await collectorIn(t.testdir({}), { limits })
  const samples = await samplesOf(t, files)
  await c.intake.offer(new Edge('store-1').metrics(samples.map(s => ({ ...s, time: noon }))))
  await settled(c.intake)
  const drives = [...c.disks.all()].map(k => k.drive)
  t.equal(drives.length, files.length)
  for (const drive of drives) isHonest(t, drive)
  const scored = drives.filter(d => d.assessment?.known)
  t.ok(scored.length > 30, 'spinning disks are scored')
  t.equal(c.history.find({ name: 'hw.physical_disk.failure_probability' }).length, scored.length)
  // One NVMe drive of these has a bit of its critical warning set, one disk an attribute below its threshold ...
  const told = c.records.findings({ limit: 100 })
  t.ok(told.every(f => f.rule === 'disk-self-reported'))
  t.ok(told.some(f => f.message.includes('the backup of its volatile memory failed')))
  await c.stop()
}

function isHonest(t: Test, { who, said, past, assessment, worn }: Drive): void {
  const name = `${who.model}`
  const counts = damage.some(d => past.counts[d] !== undefined)
  t.equal(assessment?.known, past.medium === 'spinning' && counts, `${name} is scored where there is ground`)
  t.ok((past.hours ?? 1) > 0 && (past.hours ?? 1) < 24 * 365 * 20, `${name} ${past.hours} hours`)
  t.ok(past.terabytes !== null && past.terabytes > 0 && past.terabytes < 30, `${name} ${past.terabytes} TB`)
  if (assessment?.known) t.ok(assessment.probability < 0.1, `${name}: nobody has seen it get worse`)
  else t.match(assessment?.sentence, /^whether it will fail is unknown: it /, name)
  // Of one report nobody can say how fast it wears.
  if (said.used !== undefined) t.match(worn?.sentence, /^\d+ % of its endurance is used/, name)
  if (said.used !== undefined && said.used < 1) t.equal(worn?.known, false, name)
}

/** Their makers' names for them are blackened in these reports: each gets its own here. */
async function samplesOf(t: Test, files: readonly string[]): Promise<readonly Sample[]> {
  const root = t.testdir({})
  const host = fakeHost(root)
  const at = join(root, 'run/fieldline/smart')
  mkdirSync(at, { recursive: true })
  for (const [n, file] of files.entries()) {
    const { wwn: _, logical_unit_id: __, ...report } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    writeFileSync(join(at, file), JSON.stringify({ ...report, serial_number: `SERIAL${n}` }))
  }
  const drives = files.map((file, n) => ({ device: `/dev/sd${n}`, type: 'sat', file }))
  writeFileSync(join(at, 'index.json'), JSON.stringify({ version: 1, time: host.now(), drives }))
  const [reading] = await readings(smart, smart.options.read({}, new Place()), host, 1)
  return reading!.samples
}
