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
    const options = source.options.read({}, new Place())
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
    // mmcblk0 has the 11 numbers of an old kernel, sdb the 15 since 4.18, sdc the 17 since 5.5.
    'counter system.disk.io{system.device.name=sdb,disk.io.direction=discard} By': 1925173784 * 512,
    'counter system.disk.operations{system.device.name=sdc,disk.io.direction=flush} {operation}': 127,
    'counter system.disk.operation_time{system.device.name=sdc,disk.io.direction=flush} s': 0.182,
    'counter system.disk.operations{system.device.name=dm-1,system.device.dm.name=mpathA,disk.io.direction=read} {operation}': 388,
    'gauge system.disk.limit{system.device.name=dm-1,system.device.dm.name=mpathA} By': 104857600 * 512,
    'gauge hw.status{hw.id=md7,hw.type=logical_disk,hw.state=degraded} 1': 1,
    'gauge hw.status{hw.id=md4,hw.type=logical_disk,hw.state=failed} 1': 1,
    'gauge hw.status{hw.id=md10,hw.type=logical_disk,hw.state=ok} 1': 1,
    'gauge hw.logical_disk.limit{hw.id=md3,hw.type=logical_disk,hw.logical_disk.raid_level=raid6} By':
      5853468288 * 1024,
    'gauge system.md.disks{system.device.name=md3,system.md.disk.state=active} {disk}': 8,
    'gauge system.md.disks{system.device.name=md3,system.md.disk.state=spare} {disk}': 2,
    'gauge system.md.disks{system.device.name=md9,system.md.disk.state=failed} {disk}': 2,
    'gauge system.md.disks{system.device.name=md42,system.md.disk.state=missing} {disk}': 1,
    'gauge system.md.sync.progress{system.device.name=md201,system.md.sync.action=check} 1': 114176 / 1993728,
    'gauge system.md.sync.speed{system.device.name=md6,system.md.sync.action=recovery} By/s': 259783 * 1024,
    'gauge system.md.sync.waiting{system.device.name=md11} 1': 1,
    'gauge system.md.bitmap.usage{system.device.name=md42} {page}': 4,
    'gauge hw.temperature{hw.id=bcm2835_thermal-thermal/temp1,hw.name=bcm2835_thermal temp1,hw.parent=bcm2835_thermal-thermal} Cel': 49.925,
    'gauge hw.temperature{hw.id=acpitz-thermal/temp1,hw.name=acpitz temp1,hw.parent=acpitz-thermal} Cel': -44,
    'counter hw.errors{hw.id=0000:01:00.0,hw.type=pci_device,error.type=corrected} {error}': 0,
    'counter hw.errors{hw.id=0000:01:00.0,hw.type=pci_device,error.type=fatal} {error}': 0,
    'gauge hw.network.bandwidth.limit{hw.id=eth0,network.interface.name=eth0} By/s': 125_000_000,
  })
  const disks = Object.keys(all).flatMap(key => /disk\.io_time\{system\.device\.name=([^,}]+)/.exec(key)?.[1] ?? [])
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
