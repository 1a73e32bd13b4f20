// A drive of FIELDLINE_DATA (by default ../shared/data) that failed, day by day as source `smart` would have told it, into a
// collector that is killed meanwhile: its finding opens before it fails, and is the one that nobody killed would have.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Drive, dataFolder, readDrives } from '../../../bench/disks/data.ts'
import type { Envelope } from '../../../core/envelope.ts'
import { type CountName, smartIds } from '../../../judge/disks/reading.ts'
import { seeded } from '../../random.ts'
import { collectorIn, Edge, settled } from '../ingest/collectors.ts'
import { noon } from '../ingest/envelopes.ts'
import { day, samplesOf } from './drives.ts'
import type { Sent } from './killed-child.ts'

const file = join(dataFolder(), 'hds_dev.csv.gz')

if (existsSync(file)) t.test('a failing drive is found before it fails, whatever is killed', finds)
else t.plan(0, `${file} is missing: set FIELDLINE_DATA to the folder that has it`)

async function finds(t: Test): Promise<void> {
  const drive = await worsening()
  const sent = sentOf(drive)
  const [calm, harmed] = [join(t.testdir({ calm: {}, harmed: {} }), 'calm'), join(t.testdirName, 'harmed')]
  const whole = await endOf(calm, sent)
  const finding = whole.told.at(-1)
  t.match(finding, { rule: 'disk-failing', message: /fails within 30 days/ })
  const lead = (sent.at(-1)!.envelope.lastTime - finding!.since) / day
  t.comment(`${drive.model} ${drive.serial}: opened ${lead.toFixed(1)} days before it failed`)
  t.ok(lead > 1)
  await kill(t, harmed, sent)
  t.strictSame(await endOf(harmed, []), whole)
}

/** The first that failed after a month in which it told of new damage on eight days. */
async function worsening(): Promise<Drive> {
  for await (const drive of readDrives(file)) {
    const last = drive.readings.filter(r => r.time > drive.readings.at(-1)!.time - 30 * day)
    if (drive.failed && drive.to - drive.from > 30 && drive.to - drive.from < 120 && last.length > 8) return drive
  }
  throw new Error(`${file} has no drive that failed with signs`)
}

/** A report a day until it fails, of which some come days later, from a backlog. */
function sentOf({ readings, from, to }: Drive): readonly Sent[] {
  const edge = new Edge('store-1')
  const days = Array.from({ length: Math.floor(to - from) }, (_, n) => n)
  return days.map(n => {
    const reading = readings.findLast(r => r.time <= readings[0]!.time + n * day)!
    const counts = Object.entries(reading.counts).map(([name, value]) => [smartIds[name as CountName], value])
    const smart = { ...Object.fromEntries(counts), 9: readings[0]!.hours! + n * 24 }
    const envelope: Envelope = edge.metrics(samplesOf('wwn-1', noon + n * day, { smart }))
    return { now: noon + (n - (n % 5) + 4) * day, envelope }
  })
}

/** What is known in the end; what is remembered of the drive, its findings, its scores. */
async function endOf(folder: string, sent: readonly Sent[]) {
  const c = await collectorIn(folder)
  for (const { now, envelope } of sent) {
    c.clock.now = now
    await c.intake.offer(envelope)
    await settled(c.intake)
    c.intake.tick()
  }
  const told = c.records.findings({ limit: 99 })
  // As it is kept: what is undefined is absent.
  const drive: unknown = JSON.parse(JSON.stringify(c.disks.get('wwn-1')!.drive))
  const scores = c.history
    .find({ name: 'hw.physical_disk.failure_probability' })
    .map(ref => c.history.range(ref, 0, 8e15))
  await c.stop()
  return { told, drive, scores }
}

/** Sends all to a child that is killed now and then, in the midst of what it does; what it did not answer goes again. */
async function kill(t: Test, folder: string, sent: readonly Sent[]): Promise<void> {
  const rng = seeded(t)
  let child = await childIn(folder)
  for (const [n, one] of sent.entries()) {
    child.send(one)
    if (rng() < 0.1 || n === sent.length >> 1) {
      await Promise.race([once(child, 'message'), new Promise(resolve => setTimeout(resolve, rng.below(8)))])
      child.kill('SIGKILL')
      await once(child, 'exit')
      child = await childIn(folder)
      child.send(one)
    }
    await once(child, 'message')
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function childIn(folder: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'killed-child.ts'), [folder], { serialization: 'advanced' })
  await once(child, 'message')
  return child
}
