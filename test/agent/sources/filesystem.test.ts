import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { filesystem } from '../../../agent/sources/filesystem.ts'
import type { FilesystemSize, Host } from '../../../core/host.ts'
import { Place } from '../../../core/shape.ts'
import { peer } from '../../peers.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

sourceContract(t, filesystem, join(import.meta.dirname, 'filesystem'))

const size: FilesystemSize = { bytes: 1000, free: 400, available: 300, inodes: 10, inodesFree: 4 }
const root = '21 0 8:1 / / rw - ext4 /dev/sda1 rw\n'
const nfs = '194 21 0:42 / /mnt/nfs rw shared:144 - nfs4 192.168.1.1:/srv rw,vers=4.0\n'

/** A host with this mount table; everything mounted has the same size. */
function host(t: Test, mountinfo: string, changes: Partial<Host> = {}): Host {
  const devices = new Map(mountinfo.split('\n').map(line => [line.split(' ')[4] ?? '', line.split(' ')[2]]))
  const fake = fakeHost(t.testdir({ proc: { 1: { mountinfo } } }))
  return { ...fake, statfs: async () => size, device: async path => devices.get(path), ...changes }
}

const points = (values: Readonly<Record<string, number>>): string[] =>
  Object.keys(values).flatMap(key => /limit\{.*mountpoint=(.*)\} By/.exec(key)?.[1] ?? [])

function options(raw: object) {
  const place = new Place()
  const read = filesystem.options.read(raw, place)
  t.strictSame(place.problems, [])
  return read
}

t.test('a mount that hangs has no samples, is said once, and holds up no other', async t => {
  let hangs = false
  let n = 0
  const statfs = async (path: string): Promise<FilesystemSize> => {
    if (path === '/mnt/nfs' && hangs) throw new Error('statfs /mnt/nfs: no answer within 2 s')
    return size
  }
  const between = (): void => {
    hangs = ++n < 4
  }
  const at = host(t, root + nfs, { statfs })
  const made = await readings(filesystem, options({ network: true }), at, 6, between)
  t.strictSame(
    made.map(r => points(r.values)),
    [['/', '/mnt/nfs'], ['/'], ['/'], ['/'], ['/', '/mnt/nfs'], ['/', '/mnt/nfs']],
  )
  t.ok(made.every(r => r.success))
  t.strictSame(made.at(-1)!.said, [
    'warning file system /mnt/nfs: not read: statfs /mnt/nfs: no answer within 2 s',
    'info file system /mnt/nfs: works again',
  ])
})

t.test('file systems of other machines are not even asked unless wanted', async t => {
  const asked: string[] = []
  const statfs = async (path: string): Promise<FilesystemSize> => {
    asked.push(path)
    return size
  }
  await readings(filesystem, options({}), host(t, root + nfs, { statfs }), 2)
  t.strictSame(asked, ['/', '/'])
})

t.test('only what the kernel has in memory, and the way to it, is asked without a limit of time', async t => {
  const asked: Record<string, boolean | undefined> = {}
  const statfs: Host['statfs'] = async (path, fromMemory) => {
    asked[path] = fromMemory
    return size
  }
  const table = [
    '30 21 8:2 / /data rw - xfs /dev/sda2 rw\n31 21 8:3 / /slow rw - btrfs /dev/sda3 rw\n',
    '195 194 8:4 / /mnt/nfs/scratch rw - ext4 /dev/sda4 rw\n32 21 8:5 / /mnt/nfs-not rw - ext4 /dev/sda5 rw\n',
  ]
  await readings(filesystem, options({ network: true }), host(t, root + nfs + table.join(''), { statfs }), 1)
  t.strictSame(asked, {
    '/': true,
    '/data': true,
    '/slow': false,
    '/mnt/nfs': false,
    '/mnt/nfs/scratch': false,
    '/mnt/nfs-not': true,
  })
})

t.test('what another file system hides here is no data: hardening may put an empty one over /home', async t => {
  const home = '22 21 8:2 / /home rw - ext4 /dev/sda2 rw\n'
  const device = async (path: string): Promise<string> => (path === '/' ? '8:1' : '0:99')
  const [reading] = await readings(filesystem, options({}), host(t, root + home, { device }), 1)
  t.strictSame(points(reading!.values), ['/'])
})

t.test('what hides is asked for again when the mount table changes', async t => {
  const home = '22 21 8:2 / /home rw - ext4 /dev/sda2 rw\n'
  let there = '0:99'
  const device = async (path: string): Promise<string> => (path === '/' ? '8:1' : there)
  const at = host(t, root + home, { device })
  let n = 0
  const between = (): void => {
    there = '8:2'
    if (++n === 2) appendFileSync(at.path('/proc/1/mountinfo'), '23 21 0:30 / /run rw - ramfs none rw\n')
  }
  const made = await readings(filesystem, options({}), at, 3, between)
  t.strictSame(
    made.map(r => points(r.values)),
    [['/'], ['/'], ['/', '/home']],
  )
})

t.test('of mounts over one another the last counts, of bind mounts the one of the root', async t => {
  const over = '30 21 8:3 / /data rw - ext4 /dev/sda3 rw\n31 30 8:4 / /data rw - xfs /dev/sda4 rw\n'
  const binds = '32 21 8:5 /sub /srv rw - ext4 /dev/sda5 rw\n33 21 8:5 / /disk rw - ext4 /dev/sda5 rw\n'
  const [reading] = await readings(filesystem, options({}), host(t, root + over + binds), 1)
  t.strictSame(points(reading!.values), ['/', '/data', '/disk'])
  t.match(Object.keys(reading!.values).join(), /device\.name=\/dev\/sda4/)
  t.notMatch(Object.keys(reading!.values).join(), /device\.name=\/dev\/sda3/)
})

t.test('mount points are chosen by pattern', async t => {
  const more = '30 21 8:3 / /data rw - ext4 /dev/sda3 rw\n31 30 8:4 / /run/credentials/x rw - tmpfs none rw\n'
  const at = host(t, root + more)
  const chosen = async (raw: object) => points((await readings(filesystem, options(raw), at, 1))[0]!.values)
  t.strictSame(await chosen({}), ['/', '/data'])
  t.strictSame(await chosen({ include: ['/run/*'] }), ['/run/credentials/x'])
  t.strictSame(await chosen({ exclude: ['/'] }), ['/data', '/run/credentials/x'])
})

t.test('layers of containers count only as the root, file systems without size not at all', async t => {
  const overlay = (point: string): string => `40 21 0:50 / ${point} rw - overlay overlay rw\n`
  const [whole] = await readings(filesystem, options({}), host(t, overlay('/')), 1)
  t.strictSame(points(whole!.values), ['/'])
  const [layers] = await readings(filesystem, options({}), host(t, overlay('/var/lib/x')), 1)
  t.strictSame(points(layers!.values), [])
  const empty = host(t, root, { statfs: async () => ({ ...size, bytes: 0 }) })
  t.strictSame((await readings(filesystem, options({}), empty, 1))[0]!.values, {})
})

t.test('file systems that really never answer cost three threads at most, and hold up no other', async t => {
  const python = peer(t, 'fuse')
  if (python === undefined) return
  const mounted = await hang(python, ['a', 'b', 'c', 'd', 'e'])
  try {
    const threads = (): number => Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
    const counts: number[] = []
    const read = options({ include: ['/', `${mounted.top}/*`] })
    const made = await readings(filesystem, read, fakeHost('/'), 5, () => counts.push(threads()))
    t.strictSame(
      made.map(r => points(r.values)),
      Array(5).fill(['/']),
    )
    t.ok(made.every(r => r.success))
    t.match(made[0]!.said.join('\n'), /file system \S+\/a: not read: stat \S+\/a: no answer within 2 s/)
    t.equal(made[0]!.said.length, 5, 'each is said')
    t.strictSame(made.at(-1)!.said.slice(0, 5), made[0]!.said)
    t.equal(counts.at(-1), counts[0], 'no thread is added')
    const soon = delay(5000, 'no thread is left', { ref: false })
    t.equal(await Promise.race([readFile('/proc/self/comm', 'utf8').then(() => 'read'), soon]), 'read')
  } finally {
    await mounted.release()
  }
})

async function hang(python: string, names: readonly string[]) {
  const top = mkdtempSync(join(tmpdir(), 'hang-'))
  const paths = names.map(name => join(top, name))
  for (const path of paths) mkdirSync(path)
  const script = join(import.meta.dirname, 'hanging-mount.py')
  const child = spawn(python, [script, ...paths], { stdio: ['pipe', 'pipe', 'inherit'] })
  // What follows is that there are requests; they need not be read.
  await once(child.stdout, 'data')
  child.stdout.resume()
  /** The mounts end with whoever serves them, and what hangs in them is let go. */
  const release = async (): Promise<void> => {
    child.stdin.end()
    await once(child, 'exit')
    await once(spawn('umount', paths, { stdio: 'inherit' }), 'exit')
    rmSync(top, { recursive: true })
  }
  return { top, release }
}

t.test('a file system that was mounted anew as read-only shows it in the same series', async t => {
  const at = host(t, root)
  const file = at.path('/proc/1/mountinfo')
  const between = (): void => appendFileSync(file, root.replace(/ rw\n$/, ' ro,errors=remount-ro\n'))
  const made = await readings(filesystem, options({}), at, 2, between)
  const readonly = made.map(r => r.samples.find(s => s.series.name === 'system.filesystem.readonly')!)
  t.strictSame(
    readonly.map(s => s.value),
    [0, 1],
  )
  t.equal(readonly[0]!.series, readonly[1]!.series)
})
