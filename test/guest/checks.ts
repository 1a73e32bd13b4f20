// What must hold of the guest, in this order: the last ones kill the agent and take the package away.

import type { Test } from 'tap'
import type { Attributes } from '../../core/model.ts'
import type { RoadCollector } from '../road/road.ts'
import { dataBytes } from './image.ts'
import { type Machine, serials } from './machine.ts'
import { eventually, type Seen } from './seen.ts'

export interface There {
  readonly guest: Machine
  readonly collector: RoadCollector
  /** The guest's node, as the collector's API tells of it. */
  readonly seen: Seen
  /** How often the guest's sources read, seconds. */
  readonly every: number
}

type Check = (t: Test, there: There) => Promise<void>

export const checks: Readonly<Record<string, Check>> = {
  'the agent is active and its node is up at the collector': up,
  'values of the whole machine are seen at the collector': values,
  'the SMART unit reads both disks in its sandbox, and the agent tells what they said': smart,
  'the agent runs as a user of its own without any right': rights,
  'systemd hears that the agent is ready, and then as often as its watchdog wants': watchdog,
  'killed while the collector is out of reach, the agent comes back and nothing is lost': killed,
  'nothing was given up, refused or told of as a gap': complete,
  'the journal has no error of fieldline, and no unit has failed': quiet,
  'the package goes with its units, and the node goes offline': removed,
}

const agent = 'fieldline-agent.service'
const perCpu = { 'cpu.mode': 'user' }

async function up(t: Test, { guest, seen }: There): Promise<void> {
  await eventually('the node is up', async () => (await seen.status())?.state === 'up', 90)
  t.equal(await guest.run(`systemctl is-active ${agent}`), 'active')
  t.match(await guest.run('fieldline check /etc/fieldline/agent.yaml'), /: right, for /)
  t.match((await seen.status())?.attributes, { 'os.type': 'linux', 'os.name': 'Debian GNU/Linux' })
}

async function values(t: Test, { guest, seen }: There): Promise<void> {
  await guest.run('dd if=/dev/zero of=/srv/written bs=1M count=8 conv=fsync')
  const expected: readonly [string, Attributes, number][] = [
    ['system.cpu.time', perCpu, 1],
    ['system.memory.limit', {}, 600e6],
    ['system.uptime', {}, 10],
    ['system.disk.io', { 'system.device.name': 'nvme0n1', 'disk.io.direction': 'read' }, 10e6],
    ['system.disk.io', { 'system.device.name': 'sda', 'disk.io.direction': 'write' }, 8e6],
    ['system.filesystem.limit', { 'system.filesystem.mountpoint': '/' }, 900e6],
    ['system.filesystem.usage', { 'system.filesystem.mountpoint': '/srv', 'system.filesystem.state': 'used' }, 8e6],
    ['system.network.io', { 'network.interface.name': 'enp0s2', 'network.io.direction': 'transmit' }, 10e3],
  ]
  for (const [name, where, floor] of expected) t.ok(await above(seen, name, where, floor), name)
}

async function smart(t: Test, { guest, seen }: There): Promise<void> {
  t.equal(await guest.run('systemctl is-active fieldline-smart.timer'), 'active')
  await guest.run('systemctl start fieldline-smart.service', 60)
  // What qemu's disks say, always: its NVMe disk has 50 degrees, its SATA disk 31.
  for (const [serial, degrees] of [
    [serials.nvme, 50],
    [serials.sata, 31],
  ] as const) {
    const disk = { 'hw.serial_number': serial }
    t.equal(await above(seen, 'hw.physical_disk.awake', disk), 1, serial)
    t.equal(await above(seen, 'hw.status', { ...disk, 'hw.state': 'ok' }), 1, serial)
    t.equal(await above(seen, 'hw.temperature', disk), degrees, serial)
  }
  t.equal(await above(seen, 'hw.physical_disk.size', { 'hw.serial_number': serials.sata }), dataBytes)
}

async function rights(t: Test, { guest }: There): Promise<void> {
  const status = await guest.run(`cat /proc/${await property(guest, 'MainPID')}/status`)
  const uid = /^Uid:\t(\d+)/m.exec(status)?.[1]
  t.equal(uid, await guest.run('id -u fieldline'), 'the user that the package made')
  t.not(uid, '0')
  for (const line of [/^CapEff:\t0+$/m, /^CapBnd:\t0+$/m, /^NoNewPrivs:\t1$/m, /^Seccomp:\t2$/m]) t.match(status, line)
}

async function watchdog(t: Test, { guest }: There): Promise<void> {
  t.equal(await property(guest, 'WatchdogUSec'), '30s')
  const ready = Number(await property(guest, 'ActiveEnterTimestampMonotonic'))
  // READY=1 starts it; it is fed every 15 s from then on.
  const fed = async () => Number(await property(guest, 'WatchdogTimestampMonotonic')) > ready + 10e6
  await eventually('the watchdog is fed', fed, 40)
}

async function killed(t: Test, { guest, seen, every }: There): Promise<void> {
  const before = { pid: await property(guest, 'MainPID'), samples: (await seen.status())!.samples }
  await guest.run('ip route add blackhole 10.0.2.2')
  await guest.run(`sleep ${every * 6}`)
  await guest.run(`systemctl kill --signal=KILL --kill-whom=main ${agent}`)
  const end = Date.now()
  await guest.run('ip route del blackhole 10.0.2.2')
  await eventually('it is killed', async () => (await property(guest, 'MainPID')) !== before.pid)
  await eventually('it is active again', async () => (await property(guest, 'ActiveState')) === 'active', 60)
  t.equal(await property(guest, 'NRestarts'), '1')
  const [cpu] = await seen.series('system.cpu.time', perCpu)
  const goesOn = async () => (await seen.series('system.cpu.time', perCpu))[0]!.lastTime > end + 1000
  await eventually('values of the new process are seen', goesOn, 60)
  t.ok((await seen.status())!.samples > before.samples)
  // Two parts, each long enough for three readings, that end where it was killed: nothing went through by then.
  const read = await seen.highest(cpu!.id, end - every * 6000, end, 2)
  t.ok(read.length === 2 && !read.includes(null), `read while the collector was out of reach: ${read}`)
}

async function complete(t: Test, { collector, seen }: There): Promise<void> {
  t.equal(await seen.last('fieldline.spool.dropped'), 0)
  t.equal(await seen.last('fieldline.spool.refused'), 0)
  t.equal(await collector.metric('fieldline_envelopes_refused_total'), 0)
  t.notOk((await seen.events()).some(event => event.name === 'fieldline.spool.gap'))
}

async function quiet(t: Test, { guest }: There): Promise<void> {
  t.equal(await guest.run("journalctl --quiet --priority=err --output=cat --unit='fieldline-*'"), '')
  t.equal(await guest.run('systemctl list-units --state=failed --plain --no-legend'), '')
}

async function removed(t: Test, { guest, seen }: There): Promise<void> {
  await guest.run('dpkg --purge fieldline', 60)
  t.equal(await guest.run("systemctl list-unit-files --no-legend 'fieldline-*' || true"), '')
  t.equal(await guest.run('ls -d /usr/lib/fieldline /etc/fieldline 2>/dev/null || true'), '')
  await eventually('the node is offline', async () => (await seen.status())?.state === 'offline')
}

async function property(guest: Machine, name: string): Promise<string> {
  return await guest.run(`systemctl show --property=${name} --value ${agent}`)
}

/** The series' last value, as soon as it is above `floor`. */
async function above(seen: Seen, name: string, where: Attributes, floor = 0): Promise<number> {
  let value: number | undefined
  const higher = async (): Promise<boolean> => {
    value = await seen.last(name, where)
    return value !== undefined && value > floor
  }
  await eventually(`${name} ${JSON.stringify(where)} is above ${floor}`, higher)
  return value!
}
