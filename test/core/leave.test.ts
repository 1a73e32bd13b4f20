import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'

const leave = new URL('../../core/leave.ts', import.meta.url).href

t.test('the process ends with its status', async t => {
  const { status } = spawnSync(process.execPath, ['-e', `import('${leave}').then(({ leave }) => leave(7))`])
  t.equal(status, 7)
})

t.test('it ends although the kernel does not answer one of its threads', async t => {
  const fifo = join(t.testdir({}), 'fifo')
  spawnSync('mkfifo', [fifo])
  // Opening one that nobody writes to never returns.
  const script = `import('node:fs').then(({ open }) => open('${fifo}', () => {}));
    setTimeout(() => import('${leave}').then(({ leave }) => { console.log('leaving'); leave(7) }), 200)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const [status] = await once(child, 'exit')
  t.equal(status, 7)
})
