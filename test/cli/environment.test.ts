// The agent as a sidecar runs it: no file, no folder that can be written, nobody to send to.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { freePort } from '../../core/free-port.ts'
import { fieldline } from './command.ts'

const program = new URL('../../fieldline.ts', import.meta.url).pathname

/** Without what the test run itself has. */
const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FIELDLINE_')))

t.test('check --env tells what the environment says, and every mistake in it', async t => {
  const env = { FIELDLINE_DATA: undefined, FIELDLINE_SEED: undefined, FIELDLINE_SOURCES: 'memory' }
  t.strictSame(await fieldline(['check', '--env'], env), {
    status: 0,
    out: 'FIELDLINE_*: right, for an agent with 1 source and 0 uplinks\n',
    err: '',
  })
  const resolved = await fieldline(['check', '--env', '--resolved'], { ...env, FIELDLINE_NODE: 'web-0' })
  t.match(JSON.parse(resolved.out), { daemon: 'agent', node: 'web-0', sources: [{ type: 'memory' }] })
  const wrong = await fieldline(['check', '--env'], { ...env, FIELDLINE_NODES: 'x', FIELDLINE_INTERVAL: '10' })
  t.equal(wrong.status, 1)
  t.match(wrong.err, /FIELDLINE_NODES: unknown variable; did you mean FIELDLINE_NODE\?\nFIELDLINE_INTERVAL: /)
})

t.test('an agent without any file shows what it reads at /metrics, and ends on SIGTERM', async t => {
  const port = await freePort()
  const env = {
    ...bare,
    FIELDLINE_SOURCES: 'memory,process',
    FIELDLINE_INTERVAL: '200ms',
    FIELDLINE_METRICS: `127.0.0.1:${port}`,
    FIELDLINE_STATE: '/proc/none/of/it',
    OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=web-0',
  }
  const child = spawn(process.execPath, [program, 'agent'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const deadline = Date.now() + 15_000
  let text = ''
  // What is shown is counted a moment later, when it is safe.
  while (!/^process_memory_usage_bytes\{/m.test(text) || !/^fieldline_samples_total [1-9]/m.test(text)) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`no readings: ${text}`)
    await delay(50)
    text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      answer => answer.text(),
      () => '',
    )
  }
  t.match(text, /^target_info\{.*k8s_pod_name="web-0".*\} 1$/m)
  t.match(text, /^system_memory_limit_bytes \d+$/m)
  t.match(text, /^fieldline_samples_total [1-9]/m)
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [0, null])
})
