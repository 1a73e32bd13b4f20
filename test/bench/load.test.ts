// The bench `load` on a small scale: on a machine without CPU to spare each source makes its readings, or says in-band how
// many it left out, and none fails. How many that are is the bench's to measure.

import t from 'tap'
import { usualSources } from '../../agent/usual-sources.ts'
import { withoutCgroups } from '../../bench/load/cgroups.ts'
import { withoutNamespace } from '../../bench/load/namespace.ts'
import { busyMachine } from '../../bench/load.ts'

const why = withoutNamespace() ?? withoutCgroups()
const crowd = { processes: 500, cgroups: 100, interfaces: 50 }

t.test('under load no source fails, and each tells what it left out', { timeout: 120_000 }, async t => {
  if (why !== undefined) return void t.plan(0, why)
  const command = [process.execPath, 'fieldline.ts'] as const
  const { machine, readings, descriptors } = await busyMachine({ ...crowd, seconds: 5, warm_up: 0, command })
  t.ok(machine.processes >= crowd.processes, `${machine.processes} processes`)
  t.ok(machine.interfaces >= crowd.interfaces, `${machine.interfaces} interfaces`)
  t.equal(machine.cgroups, crowd.cgroups)
  t.ok(Object.keys(readings).length > usualSources('1s').length / 2, `${Object.keys(readings).length} sources read`)
  for (const [source, { made, skipped, failed, untold }] of Object.entries(readings)) {
    t.equal(failed, 0, `${source}: of ${made} readings none failed`)
    t.equal(untold, 0, `${source}: it told of the ${skipped} that it left out`)
  }
  t.ok(descriptors < 4096, `${descriptors} descriptors`)
})
