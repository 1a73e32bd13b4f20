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
    'counter system.cpu.context_switches {context_switch}': 38014093,
    'counter system.cpu.interrupts {interrupt}': 73777505,
    'counter system.cpu.soft_interrupts {interrupt}': 5057579,
    'gauge system.cpu.frequency Hz': 1219917000,
    'counter system.cpu.throttles{system.cpu.package=0,system.cpu.throttle.scope=package} {event}': 34818,
    'counter system.cpu.throttles{system.cpu.package=0,system.cpu.throttle.scope=core} {event}': 10607,
    'counter system.pressure.time{system.pressure.resource=io,system.pressure.scope=full} s': 0.000025,
    'gauge system.pressure.utilization{system.pressure.resource=memory,system.pressure.scope=some,system.pressure.window=300s} 1': 0.0385,
    'gauge system.linux.entropy.available bit': 3943,
    'counter system.linux.hung_tasks {task}': 6,
    'gauge system.boot.time s': 1418183276,
    'gauge system.cpu.load_average.15m {thread}': 0.05,
    'gauge system.thread.count {thread}': 497,
    'gauge hw.components{hw.type=system} {component}': 1,
    'gauge hw.components{hw.type=cpu} {component}': 1,
    'gauge system.memory.limit By': 15666184 * 1024,
    'counter system.disk.io{system.device.name=sda,disk.io.direction=read} By': 1003346126 * 512,
    'counter system.disk.io_time{system.device.name=nvme0n1} s': 222.766,
    'counter system.network.io{network.interface.name=eth0,network.io.direction=transmit} By': 563352563,
    'counter system.network.tcp.segment.retransmitted {segment}': 348,
    'counter system.network.tcp.retransmit.count{network.tcp.reason=syn} {segment}': 16,
    'counter system.network.tcp.aborted{network.tcp.reason=close} {connection}': 62,
    'counter system.network.tcp.out_of_order {segment}': 65515,
    'gauge system.network.tcp.established {connection}': 15,
    'counter system.network.ip.io{network.type=ipv4,network.io.direction=receive} By': 190585481,
    'counter system.network.ip.packet.count{network.type=ipv6,network.io.direction=transmit} {packet}': 57502,
    'counter system.network.udp.no_port{network.type=ipv4} {datagram}': 50,
    'counter system.network.icmp.unreachable{network.type=ipv6,network.io.direction=receive} {message}': 2,
    'gauge system.network.socket.used {socket}': 1602,
    'gauge system.network.tcp.allocated {socket}': 59,
    'gauge system.network.connection.count{network.transport=tcp,network.connection.state=time_wait} {connection}': 4,
    'gauge system.network.connection.count{network.transport=tcp,network.connection.state=listen} {connection}': 3,
    'gauge system.network.neighbor.count{network.type=ipv4} {entry}': 0x14,
    'gauge system.network.neighbor.count{network.type=ipv6} {entry}': 0x24,
    'counter system.network.neighbor.events{network.type=ipv4,network.neighbor.event=table_full} {event}': 0xc + 0x18,
    'counter system.network.softnet.dropped {packet}': 0x6283 + 0x446 + 0x20e76 + 0 + 1,
    'counter system.network.softnet.squeezed {event}': 0 + 0xb1 + 0xf0000769 + 0x109a4 + 0x11,
    'counter hw.network.io{hw.id=mlx5_0/1,hw.parent=mlx5_0,network.io.direction=transmit} By': 2880761508848 * 4,
    'counter hw.network.packets{hw.id=hfi1_0/1,hw.parent=hfi1_0,network.io.direction=receive} {packet}': 638036947,
    'counter hw.infiniband.transmit_wait{hw.id=mlx4_0/2,hw.parent=mlx4_0} {tick}': 3846,
    'counter hw.infiniband.ack_timeout{hw.id=mlx5_0/1,hw.parent=mlx5_0} {timeout}': 131,
    'counter hw.infiniband.out_of_sequence{hw.id=mlx5_0/1,hw.parent=mlx5_0} {packet}': 1,
    'counter hw.infiniband.hardware_counter{hw.id=mlx5_0/1,hw.parent=mlx5_0,infiniband.counter=resp_cqe_error} 1': 8109,
    'gauge hw.network.bandwidth.limit{hw.id=mlx5_0/1,hw.parent=mlx5_0} By/s': 25e9 / 8,
    'gauge hw.infiniband.port.physical_state{hw.id=hfi1_0/1,hw.parent=hfi1_0} 1': 5,
    'gauge hw.network.full_duplex{hw.id=eth0,network.interface.name=eth0} 1': 1,
    'gauge hw.network.mtu{hw.id=eth0,network.interface.name=eth0} By': 1500,
    // 0x1303
    'gauge hw.network.promiscuous{hw.id=eth0,network.interface.name=eth0} 1': 1,
    'counter hw.network.carrier.down{hw.id=eth0,network.interface.name=eth0} {change}': 1,
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
  const settings = Object.keys(all).filter(key => key.includes('lifespan'))
  t.strictSame(settings, [], 'a setting is no counter')
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
