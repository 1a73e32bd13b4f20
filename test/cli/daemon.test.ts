import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { fieldline } from './command.ts'

const program = new URL('../../fieldline.ts', import.meta.url).pathname

function agentFile(t: Test): { file: string; state: string } {
  const folder = t.testdir({
    'agent.yaml': `daemon: agent
state: ${join(t.testdirName, 'state')}
metrics: off
sources: [{ type: load, interval: 1s }]
uplinks: []
`,
  })
  return { file: join(folder, 'agent.yaml'), state: join(folder, 'state') }
}

/** An agent that has opened its spool. */
async function startAgent(t: Test, file: string, state: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'agent', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', chunk => {
    said += chunk
  })
  const deadline = Date.now() + 15_000
  while (!existsSync(join(state, 'spool.pid'))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the agent did not start: ${said}`)
    await delay(20)
  }
  return child
}

t.test('an agent starts from its configuration and drains on SIGTERM with status 0', async t => {
  const { file, state } = agentFile(t)
  const child = await startAgent(t, file, state)
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [0, null])
})

t.test('a second agent on the same state says which process has it', async t => {
  const { file, state } = agentFile(t)
  const first = await startAgent(t, file, state)
  const { status, err } = await fieldline(['agent', '--config', file])
  t.equal(status, 1)
  t.match(err, `critical fieldline agent: cannot start: spool: ${state} is in use by process ${first.pid}`)
})
