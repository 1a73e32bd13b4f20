// Folders, disks and ports that a daemon cannot have: it ends with status 1 and says what stands in the way.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { aedes } from '../brokers.ts'
import { eventually, flowing, startRoadCollector, startRoadEdge, verify } from './road.ts'

t.jobs = 2

const program = new URL('../../fieldline.ts', import.meta.url).pathname
const nobody = 65534

interface Daemon {
  readonly child: ChildProcess
  readonly said: () => string
}

/** A daemon with root's privileges dropped where `user` says so. */
function launch(t: Test, kind: 'agent' | 'collector', config: readonly string[], user?: number): Daemon {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-config-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o755)
  const file = join(folder, `${kind}.yaml`)
  writeFileSync(file, [`daemon: ${kind}`, ...config, ''].join('\n'))
  const identity = user === undefined ? {} : { uid: user, gid: user }
  const args = [program, kind, '--config', file]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], ...identity })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr?.on('data', chunk => {
    said += chunk
  })
  return { child, said: () => said }
}

/** Root may write anywhere; another user must be able to read this tree. */
function canRun(user: number): boolean {
  return spawnSync(process.execPath, [program, '--version'], { stdio: 'ignore', uid: user, gid: user }).status === 0
}

/** Status and words of a daemon that cannot start. */
async function refuses(t: Test, daemon: Daemon, words: RegExp): Promise<void> {
  const [status] = await once(daemon.child, 'close')
  t.equal(status, 1)
  t.match(daemon.said(), words)
  t.comment(daemon.said().trim())
}

const settings = {
  agent: ['metrics: off', 'sources: [{ type: load, interval: 1s }]', 'uplinks: []'],
  collector: ['listen: 127.0.0.1:0'],
}
const kinds = ['agent', 'collector'] as const

for (const kind of kinds) {
  t.test(`${kind}: a state folder without rights is an error that names it`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldline-rights-'))
    t.teardown(() => {
      chmodSync(folder, 0o755)
      rmSync(folder, { recursive: true })
    })
    chmodSync(folder, 0o555)
    const user = process.getuid?.() === 0 ? nobody : undefined
    if (user !== undefined && !canRun(user)) return t.comment('nobody but root may read this tree: nothing was tried')
    const daemon = launch(t, kind, [`state: ${join(folder, 'state')}`, ...settings[kind]], user)
    await refuses(t, daemon, new RegExp(`^critical fieldline ${kind}: cannot start: .*${folder}/state`, 'm'))
  })

  t.test(`${kind}: a state folder whose parents are missing is made`, async t => {
    const state = join(t.testdir(), 'not', 'yet', 'there')
    const daemon = launch(t, kind, [`state: ${state}`, ...settings[kind]])
    await eventually('it is made', () => existsSync(join(state, kind === 'agent' ? 'spool.db' : 'history.db')))
    await eventually('it runs', () => existsSync(join(state, kind === 'agent' ? 'spool.pid' : 'inbox.db')))
    daemon.child.kill('SIGTERM')
    t.strictSame(await once(daemon.child, 'exit'), [0, null])
    t.notMatch(daemon.said(), /^(error|critical)/m)
  })

  t.test(`${kind}: a state folder below a file is an error that names it`, async t => {
    const folder = t.testdir({ file: 'not a folder' })
    const daemon = launch(t, kind, [`state: ${folder}/file/state`, ...settings[kind]])
    await refuses(t, daemon, new RegExp(`^critical fieldline ${kind}: cannot start: .*${folder}/file/state`, 'm'))
  })

  t.test(`${kind}: a state folder on a read-only disk is an error that names it`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldline-read-only-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'fieldline-test', folder])
    if (status !== 0) return t.comment('mounting a tmpfs is not permitted here: nothing was tried')
    t.teardown(() => spawnSync('umount', ['-l', folder]))
    const daemon = launch(t, kind, [`state: ${folder}`, ...settings[kind]])
    await refuses(t, daemon, new RegExp(`^critical fieldline ${kind}: cannot start: .*${folder}`, 'm'))
  })
}

t.test('a collector whose port is taken says which, and leaves its files whole', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const at = taken.address()
  const address = `127.0.0.1:${typeof at === 'object' ? at?.port : ''}`
  const state = t.testdir()
  await refuses(
    t,
    launch(t, 'collector', [`state: ${state}`, `listen: ${address}`]),
    new RegExp(`cannot start: .*${address}`),
  )
  const broker = await aedes(t)
  const collector = await startRoadCollector(t, { folder: state, brokers: [broker.url] })
  t.notMatch(collector.said.join('\n'), /^(error|critical)/m)
})

t.test('a second daemon on a spool says which process has it, and the first goes on unharmed', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const brokers = [broker.url]
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers })
  const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers })
  await flowing(collector, [edge])
  const second = launch(t, 'agent', [`state: ${edge.folder}`, ...settings.agent])
  await refuses(t, second, new RegExp(`cannot start: spool: ${edge.folder} is in use by process ${process.pid}\\b`))
  await flowing(collector, [edge])
  await verify(t, collector, [edge])
})

t.test('a second collector on a folder is refused, and the first goes on unharmed', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const brokers = [broker.url]
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers })
  const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers })
  await flowing(collector, [edge])
  const second = launch(t, 'collector', [`state: ${collector.folder}`, ...settings.collector])
  await refuses(t, second, new RegExp(`cannot start: .*${collector.folder}/history.db`))
  await flowing(collector, [edge])
  await verify(t, collector, [edge])
})
