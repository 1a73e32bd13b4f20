// The sources over recorded trees that are not part of the project: FIELDLINE_DATA, by default ../shared/data.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sources } from '../../../agent/sources/index.ts'
import { Place } from '../../../core/shape.ts'
import { fakeHost } from '../fake-host.ts'
import { readings } from '../source-contract.ts'

const archive = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'host/procfs-fixtures.tar.gz')

if (existsSync(archive)) t.test('the recorded machine of prometheus/procfs is read whole', readsTheMachine)
else t.plan(0, `${archive} is missing: set FIELDLINE_DATA to the folder that has it`)

async function readsTheMachine(t: Test): Promise<void> {
  const folder = t.testdir({})
  const { status, stderr } = spawnSync('tar', ['xzf', archive, '-C', folder], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  const host = fakeHost(join(folder, 'fixtures'))
  const all: Record<string, number> = {}
  for (const source of sources) {
    const place = new Place()
    const options = source.options.read({}, place)
    // One that must be told where to ask reads nothing of the machine.
    if (place.problems.length > 0) continue
    const before = readdirSync('/proc/self/fd').length
    const [reading] = await readings(source, options, host, 1)
    t.equal(reading!.success, true, `${source.name}: ${reading!.said.join('; ')}`)
    t.equal(readdirSync('/proc/self/fd').length, before, `${source.name} gives its descriptors back`)
    Object.assign(all, reading!.values)
  }
  // Compared with what the recorded files say, one value a source.
  t.match(all, {
    'counter system.cpu.time{cpu.mode=user} s': 3018.54,
    'counter system.cpu.time{cpu.mode=interrupt} s': 39.46,
    'gauge system.cpu.logical.count {cpu}': 8,
    'counter system.process.created {process}': 26442,
    'gauge system.cpu.load_average.15m {thread}': 0.05,
    'gauge system.thread.count {thread}': 497,
    'gauge system.memory.limit By': 15666184 * 1024,
    'counter system.disk.io{system.device.name=sda,disk.io.direction=read} By': 1003346126 * 512,
    'counter system.disk.io_time{system.device.name=nvme0n1} s': 222.766,
    'counter system.network.io{network.interface.name=eth0,network.io.direction=transmit} By': 563352563,
    'gauge hw.network.up{hw.id=eth0,network.interface.name=eth0} 1': 1,
    'gauge hw.network.bandwidth.limit{hw.id=eth0,network.interface.name=eth0} By/s': 125_000_000,
  })
  const disks = Object.keys(all).flatMap(key => /disk\.io_time\{system\.device\.name=([^}]+)/.exec(key)?.[1] ?? [])
  t.strictSame(disks, [
    'sda',
    'dm-0',
    'dm-1',
    'dm-2',
    'dm-3',
    'dm-4',
    'dm-5',
    'mmcblk0',
    'vda',
    'nvme0n1',
    'sdb',
    'sdc',
  ])
}
