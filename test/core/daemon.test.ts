import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'

const module = (file: string) => JSON.stringify(new URL(`../../core/${file}`, import.meta.url).href)

interface Run {
  readonly child: ChildProcess
  /** Everything said so far. */
  out(): string
  /** Resolves when `text` was said, fails after 10 s. */
  said(text: string): Promise<void>
  status(): Promise<number | null>
  notified(): string[]
}

/** A process that is a daemon with this body of `start(signal)`; `systemd-notify` is a script that notes its words. */
function run(t: Test, body: string, env: NodeJS.ProcessEnv = {}): Run {
  const folder = t.testdir({ 'systemd-notify': `#!/bin/sh\necho "$@" >> "$(dirname "$0")/notified"\n` })
  chmodSync(join(folder, 'systemd-notify'), 0o755)
  const script = `import { daemon } from ${module('daemon.ts')}
    import { log } from ${module('log.ts')}
    const hear = text => console.log(text)
    await daemon('agent', log(), async signal => { ${body} })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...env, PATH: `${folder}${delimiter}${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  const closed = once(child, 'close')
  const file = join(folder, 'notified')
  return {
    child,
    out: () => said,
    said: text =>
      until(
        () => said.includes(text),
        () => `waited for ${text}, got ${said}`,
      ),
    status: async () => (await closed)[0] as number | null,
    notified: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
  }
}

async function until(condition: () => boolean, why: () => string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); await delay(10)) if (Date.now() > end) throw new Error(why())
}

const forever = `setInterval(() => {}, 1000); hear('started'); return { stop: async () => hear('drained') }`

t.test('a signal drains and ends with status 0', async t => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, said, status, out } = run(t, forever)
    await said('started')
    child.kill(signal)
    t.equal(await status(), 0)
    t.match(out(), 'drained')
  }
})

t.test('the second signal ends at once', async t => {
  const { child, said, status } = run(
    t,
    `hear('started'); return { stop: () => { hear('draining'); return new Promise(() => {}) } }`,
  )
  await said('started')
  child.kill('SIGTERM')
  await said('draining')
  child.kill('SIGTERM')
  t.equal(await status(), 143)
})

t.test('a signal during the start drains after it', async t => {
  const body = `hear('starting'); await new Promise(r => { const k = setInterval(() => {}, 1000); signal.addEventListener('abort', () => { clearInterval(k); r() }) }); ${forever}`
  const { child, said, status, out } = run(t, body)
  await said('starting')
  child.kill('SIGTERM')
  t.equal(await status(), 0)
  t.match(out(), 'drained')
})

t.test('a start that fails ends with status 1 and the cause, not a stack', async t => {
  const { status, out } = run(t, `throw new Error('spool is held', { cause: new Error('by process 7') })`)
  t.equal(await status(), 1)
  t.equal(out(), 'critical agent: cannot start: spool is held: by process 7\n')
})

t.test('what nobody handled ends the daemon with status 1 and the cause', async t => {
  for (const wrong of [`Promise.reject(new Error('lost'))`, `setTimeout(() => { throw new Error('lost') })`]) {
    const { status, out } = run(t, `${wrong}; ${forever}`)
    t.equal(await status(), 1)
    t.match(out(), 'critical agent: ended by an error that nobody handled: lost')
  }
})

t.test('a drain that fails is told and ends with status 1', async t => {
  const { child, said, status, out } = run(
    t,
    `setInterval(() => {}, 1000); hear('started'); return { stop: async () => { throw new Error('disk full') } }`,
  )
  await said('started')
  child.kill('SIGTERM')
  t.equal(await status(), 1)
  t.match(out(), 'critical agent: drain failed: disk full')
})

t.test('without NOTIFY_SOCKET systemd is told nothing', async t => {
  const { child, said, status, notified } = run(t, forever, { NOTIFY_SOCKET: '', WATCHDOG_USEC: '20000' })
  await said('started')
  child.kill('SIGTERM')
  await status()
  t.strictSame(notified(), [])
})

t.test('systemd hears of readiness, of health at half the watchdog time, and of the stop', async t => {
  const began = performance.now()
  const { child, status, notified } = run(t, forever, { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '200000' })
  await until(
    () => notified().length >= 4,
    () => `heard ${notified()}`,
  )
  child.kill('SIGTERM')
  t.equal(await status(), 0)
  const [first, ...rest] = notified()
  t.equal(first, 'READY=1')
  t.equal(rest.pop(), 'STOPPING=1')
  t.ok(rest.every(word => word === 'WATCHDOG=1'))
  t.ok(rest.length <= (performance.now() - began) / 100, `${rest.length} times`)
})

t.test('a daemon that is not well does not feed the watchdog, and says why once', async t => {
  const body = `let n = 0; setInterval(() => {}, 1000); return { stop: async () => {}, healthy: () => { if (++n > 5) hear('asked'); return false } }`
  const { child, said, status, notified, out } = run(t, body, { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '20000' })
  await said('asked')
  child.kill('SIGTERM')
  await status()
  t.strictSame(notified(), ['READY=1', 'STOPPING=1'])
  t.equal(out().split('watchdog: not fed').length, 2)
})

t.test('the watchdog of another process is left alone', async t => {
  const body = `setTimeout(() => hear('a while later'), 300); ${forever}`
  const env = { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' }
  const { child, said, status, notified } = run(t, body, env)
  await said('a while later')
  child.kill('SIGTERM')
  await status()
  t.strictSame(notified(), ['READY=1', 'STOPPING=1'])
})

t.test('a missing systemd-notify is said once and stops nothing', async t => {
  const { child, said, status, out } = run(t, `process.env.PATH = '/nowhere'; ${forever}`, {
    NOTIFY_SOCKET: '/x',
    WATCHDOG_USEC: '4000',
  })
  await said('systemd-notify: ')
  child.kill('SIGTERM')
  t.equal(await status(), 0)
  t.equal(out().split('warning systemd-notify').length, 2)
})
