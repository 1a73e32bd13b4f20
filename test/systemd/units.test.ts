import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { usualPatience } from '../../agent/smart/writer.ts'
import { smart } from '../../agent/sources/smart.ts'
import { defaultState } from '../../core/config-shapes.ts'
import { Place } from '../../core/shape.ts'
import { peer } from '../peers.ts'

const daemons = ['agent', 'gateway', 'collector'] as const
/** Those that systemd rates and checks. */
const services = [...daemons, 'smart'] as const

function unitFile(name: string, kind = 'service'): string {
  return new URL(`../../systemd/fieldline-${name}.${kind}`, import.meta.url).pathname
}

/** The value of a setting that is given once. */
function setting(unit: string, key: string): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1]
}

t.test('each unit starts its own daemon with its own configuration and state', async t => {
  for (const daemon of daemons) {
    const unit = readFileSync(unitFile(daemon), 'utf8')
    t.equal(setting(unit, 'ExecStart'), `/usr/bin/fieldline ${daemon} --config /etc/fieldline/${daemon}.yaml`)
    t.equal(`/var/lib/${setting(unit, 'StateDirectory')}`, defaultState(daemon, {}))
  }
})

t.test('each unit notifies, is watched, comes back by itself and is bounded in memory', async t => {
  for (const daemon of daemons) {
    const unit = readFileSync(unitFile(daemon), 'utf8')
    t.equal(setting(unit, 'Type'), 'notify')
    t.equal(setting(unit, 'NotifyAccess'), 'all')
    t.equal(setting(unit, 'Restart'), 'always')
    t.equal(setting(unit, 'DynamicUser'), 'yes')
    for (const key of ['WatchdogSec', 'MemoryMax']) t.ok(setting(unit, key), key)
  }
})

t.test('the unit that asks the disks writes where the agent reads, and reaches no further than disks', async t => {
  const unit = readFileSync(unitFile('smart'), 'utf8')
  const folder = `/run/${setting(unit, 'RuntimeDirectory')}`
  t.equal(smart.options.read({}, new Place()).folder, folder)
  t.equal(setting(unit, 'ExecStart'), `/usr/bin/fieldline smart-reports --to ${folder}`)
  t.equal(setting(unit, 'RuntimeDirectoryMode'), '0755', 'readable for a dynamic user')
  t.equal(setting(unit, 'RuntimeDirectoryPreserve'), 'yes', 'the reports stay when the pass has ended')
  t.equal(setting(unit, 'CapabilityBoundingSet'), 'CAP_SYS_RAWIO CAP_SYS_ADMIN CAP_MKNOD')
  t.equal(setting(unit, 'DevicePolicy'), 'closed')
  for (const [line, access] of unit.matchAll(/^DeviceAllow=block-\S+ (\w+)$/gm)) t.equal(access, 'r', line)
})

t.test('a report is asked for again before the agent takes it for too old', async t => {
  const every = /^OnUnitActiveSec=(\d+)min$/m.exec(readFileSync(unitFile('smart', 'timer'), 'utf8'))?.[1]
  t.ok(Number(every) * 60_000 * 2 < smart.options.read({}, new Place()).max_age)
  const patience = /^TimeoutStartSec=(\d+)min$/m.exec(readFileSync(unitFile('smart'), 'utf8'))?.[1]
  t.ok(Number(patience) * 60_000 > usualPatience.pass + 4 * usualPatience.drive, 'a slow pass is not cut off')
})

t.test('the agent may read the journal, and so the log of the kernel', async t => {
  t.equal(setting(readFileSync(unitFile('agent'), 'utf8'), 'SupplementaryGroups'), 'systemd-journal')
})

t.test('systemd rates the exposure of each service 2.0 or better', async t => {
  const program = peer(t, 'systemd')
  if (program === undefined) return
  for (const service of services) {
    const { stdout } = spawnSync(program, ['security', '--offline=true', '--no-pager', unitFile(service)], {
      encoding: 'utf8',
    })
    const rating = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
    t.ok(rating <= 2, `${service}: ${rating}`)
  }
})

t.test('systemd finds nothing to say about the units', async t => {
  const program = peer(t, 'systemd')
  if (program === undefined) return
  for (const service of services) t.equal(verify(t, program, service), '', service)
  t.equal(verify(t, program, 'smart', 'timer'), '', 'timer')
})

/** What systemd says of a unit, with a program in it that is installed here. */
function verify(t: Test, program: string, name: string, kind = 'service'): string {
  const service = readFileSync(unitFile(name), 'utf8').replace('/usr/bin/fieldline', '/bin/true')
  const timer = kind === 'timer' ? { [`fieldline-${name}.timer`]: readFileSync(unitFile(name, 'timer'), 'utf8') } : {}
  const folder = t.testdir({ [`fieldline-${name}.service`]: service, ...timer })
  const unit = join(folder, `fieldline-${name}.${kind}`)
  const { stdout, stderr } = spawnSync(program, ['verify', '--man=no', unit], { encoding: 'utf8' })
  return stdout + stderr
}
