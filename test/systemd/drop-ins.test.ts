import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { peer } from '../peers.ts'

const folder = new URL('../../systemd/', import.meta.url).pathname

for (const name of ['agent-gpu.conf', 'agent-ipmi.conf']) {
  t.test(`systemd finds nothing to say about the agent with ${name}, which opens devices by name alone`, async t => {
    const program = peer(t, 'systemd')
    if (program === undefined) return
    const unit = readFileSync(join(folder, 'fieldline-agent.service'), 'utf8').replace(
      '/usr/bin/fieldline',
      '/bin/true',
    )
    const dropIn = readFileSync(join(folder, name), 'utf8')
    const at = t.testdir({ 'fieldline-agent.service': unit })
    mkdirSync(join(at, 'fieldline-agent.service.d'))
    writeFileSync(join(at, 'fieldline-agent.service.d', name), dropIn)
    const { stderr, status } = spawnSync(program, ['verify', '--man=no', join(at, 'fieldline-agent.service')], {
      encoding: 'utf8',
    })
    const said = stderr.split('\n').filter(line => line.includes(at) || line.includes('fieldline-agent'))
    t.strictSame(said, [])
    t.equal(status, 0, stderr)
    t.match(dropIn, /^DevicePolicy=closed$/m)
    t.notMatch(dropIn, /^DeviceAllow=\/dev\/mem|^AmbientCapabilities=|^User=root/m)
  })
}
