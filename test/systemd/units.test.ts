import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { defaultState } from '../../core/config-shapes.ts'
import { peer } from '../peers.ts'

const daemons = ['agent', 'gateway', 'collector'] as const

function unitFile(daemon: string): string {
  return new URL(`../../systemd/fieldline-${daemon}.service`, import.meta.url).pathname
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

t.test('the agent may read the journal, and so the log of the kernel', async t => {
  t.equal(setting(readFileSync(unitFile('agent'), 'utf8'), 'SupplementaryGroups'), 'systemd-journal')
})

t.test('systemd rates the exposure of each daemon 2.0 or better', async t => {
  const program = peer(t, 'systemd')
  if (program === undefined) return
  for (const daemon of daemons) {
    const { stdout } = spawnSync(program, ['security', '--offline=true', '--no-pager', unitFile(daemon)], {
      encoding: 'utf8',
    })
    const rating = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
    t.ok(rating <= 2, `${daemon}: ${rating}`)
  }
})

t.test('systemd finds nothing to say about the units', async t => {
  const program = peer(t, 'systemd')
  if (program === undefined) return
  for (const daemon of daemons) t.equal(verify(t, program, daemon), '', daemon)
})

/** What systemd says of a unit, with a program in it that is installed here. */
function verify(t: Test, program: string, daemon: string): string {
  const unit = readFileSync(unitFile(daemon), 'utf8').replace('/usr/bin/fieldline', '/bin/true')
  const name = `fieldline-${daemon}.service`
  const folder = t.testdir({ [name]: unit })
  const { stdout, stderr } = spawnSync(program, ['verify', '--man=no', join(folder, name)], { encoding: 'utf8' })
  return stdout + stderr
}
