import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { realHost } from '../../core/host.ts'
import { timeLimited } from '../../core/host-slow.ts'

t.test('a file gives its present content at each read', async t => {
  const root = t.testdir({ proc: { uptime: 'one\n' } })
  const file = realHost(root).file('/proc/uptime')
  t.equal(file.read()?.toString(), 'one\n')
  writeFileSync(`${root}/proc/uptime`, 'another\n')
  t.equal(file.read()?.toString(), 'another\n')
  file.close()
  t.equal(file.read()?.toString(), 'another\n', 'a closed file opens again')
  file.close()
  file.close()
})

t.test('a file of the kernel is read whole although it comes in pieces', async t => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => child.kill())
  const path = `/proc/${child.pid}/smaps`
  const file = realHost().file(path)
  const isWhole = (): boolean => {
    const whole = readFileSync(path)
    return whole.length > 8192 && file.read()?.equals(whole) === true
  }
  // It changes until the child has loaded its libraries.
  let found = isWhole()
  for (const end = Date.now() + 10_000; !found && Date.now() < end; found = isWhole()) await turn()
  t.ok(found)
  file.close()
})

t.test('an absent file is no data, and is found once it is there', async t => {
  const root = t.testdir({ sys: {} })
  const file = realHost(root).file('/sys/speed')
  t.equal(file.read(), undefined)
  writeFileSync(`${root}/sys/speed`, '1000\n')
  t.equal(file.read()?.toString(), '1000\n')
  file.close()
})

t.test('a process that ends takes its open files along: no data, and no descriptor left behind', async t => {
  const before = readdirSync('/proc/self/fd').length
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  const file = realHost().file(`/proc/${child.pid}/stat`)
  t.match(file.read()?.toString(), /^\d+ /)
  child.kill()
  await once(child, 'exit')
  for (let n = 0; n < 20; n++) t.equal(file.read(), undefined)
  t.equal(readdirSync('/proc/self/fd').length, before)
})

t.test('what cannot be read for what it is counts as absent', async t => {
  const root = t.testdir({ folder: {}, file: 'x' })
  const host = realHost(root)
  t.equal(host.file('/file/below').read(), undefined, 'a file where a folder belongs')
  t.throws(() => host.file('/folder').read(), { message: 'cannot read /folder' })
})

t.test('the buffer grows with the file up to 4 MiB; a larger file is an error that names it', async t => {
  const root = t.testdir({ big: 'x'.repeat(4 * 1024 * 1024 - 1), bigger: 'x'.repeat(4 * 1024 * 1024 + 1) })
  const host = realHost(root)
  t.equal(host.file('/big').read()?.length, 4 * 1024 * 1024 - 1)
  t.throws(() => host.file('/bigger').read(), {
    message: 'cannot read /bigger',
    cause: { message: 'it is larger than 4 MiB' },
  })
})

t.test('a FIFO in the place of a file does not hang the reader', async t => {
  const root = t.testdir({})
  t.equal(spawnSync('mkfifo', [`${root}/pipe`]).status, 0)
  t.throws(() => realHost(root).file('/pipe').read(), { message: 'cannot read /pipe' })
})

t.test('no path and no link leads out of the root', async t => {
  const base = t.testdir({ root: { proc: { inside: 'in\n' } }, 'root-beside': { secret: 'out\n' }, secret: 'out\n' })
  const host = realHost(`${base}/root`)
  t.equal(host.path('/../secret'), `${base}/root/secret`)
  t.equal(host.path('../../../etc/passwd'), `${base}/root/etc/passwd`)
  t.equal(host.file('/../secret').read(), undefined)
  symlinkSync('/etc/passwd', `${base}/root/absolute`)
  symlinkSync('../secret', `${base}/root/relative`)
  symlinkSync('../root-beside/secret', `${base}/root/beside`)
  symlinkSync('proc', `${base}/root/fine`)
  symlinkSync('..', `${base}/root/up`)
  for (const name of ['/absolute', '/relative', '/beside']) {
    t.throws(() => host.file(name).read(), { message: `cannot read ${name}`, cause: { message: /^it leads out of/ } })
  }
  t.equal(host.file('/fine/inside').read()?.toString(), 'in\n')
  t.strictSame(host.list('/up'), [])
  t.strictSame(host.list('/fine'), ['inside'])
  t.equal(await host.statfs('/up'), undefined)
  t.equal(await host.device('/up'), undefined)
})

t.test('a root that is itself reached by a link works, one that is absent fails at once', async t => {
  const base = t.testdir({ real: { file: 'x\n' } })
  symlinkSync('real', `${base}/link`)
  t.equal(realHost(`${base}/link`).file('/file').read()?.toString(), 'x\n')
  t.throws(() => realHost(`${base}/absent`), { code: 'ENOENT' })
})

t.test('a folder is listed in order, an absent one is empty', async t => {
  const root = t.testdir({ net: { lo: '', eth1: '', eth0: '' } })
  const host = realHost(root)
  t.strictSame(host.list('/net'), ['eth0', 'eth1', 'lo'])
  t.strictSame(host.list('/absent'), [])
})

t.test('statfs and device agree with stat and df', async t => {
  const host = realHost()
  const size = (await host.statfs('/'))!
  const [blocks, blockSize, inodes] = spawnSync('stat', ['-f', '-c', '%b %S %c', '/'], { encoding: 'utf8' })
    .stdout.trim()
    .split(' ')
    .map(Number)
  t.equal(size.bytes, blocks! * blockSize!)
  t.equal(size.inodes, inodes)
  t.ok(size.available <= size.free && size.free < size.bytes)
  const numbers = spawnSync('stat', ['-c', '%Hd:%Ld', '/'], { encoding: 'utf8' }).stdout.trim()
  t.equal(await host.device('/'), numbers)
  t.equal(await host.statfs('/absent'), undefined)
  t.match(await host.statfs('/', true), { bytes: size.bytes, inodes: size.inodes })
  t.equal(await host.statfs('/absent', true), undefined)
})

t.test('sleep ends with the signal, also with one aborted before', async t => {
  const host = realHost()
  const stop = new AbortController()
  const asleep = host.sleep(1_000_000, stop.signal)
  stop.abort()
  await asleep
  await host.sleep(1_000_000, stop.signal)
  t.ok(host.monotonic() >= 0)
})

t.test('a call that never returns is given up, is not asked again meanwhile, and works once it answered', async t => {
  const ask = timeLimited(5, 2)
  const first = Promise.withResolvers<string>()
  let calls = 0
  const call = (): Promise<string> => {
    calls++
    return first.promise
  }
  await t.rejects(ask('statfs /mnt', call), { message: 'statfs /mnt: no answer within 0.005 s' })
  await t.rejects(ask('statfs /mnt', call), { message: 'statfs /mnt: no answer within 0.005 s' })
  t.equal(await ask('statfs /', async () => 'well'), 'well', 'others are still asked')
  t.equal(calls, 1)
  first.resolve('late')
  await turn()
  t.equal(await ask('statfs /mnt', async () => 'again'), 'again')
})

t.test('two askers of one subject share one call', async t => {
  const ask = timeLimited(60_000, 2)
  const { promise, resolve } = Promise.withResolvers<number>()
  let calls = 0
  const call = (): Promise<number> => {
    calls++
    return promise
  }
  const both = Promise.all([ask('statfs /', call), ask('statfs /', call)])
  resolve(7)
  t.strictSame(await both, [7, 7])
  t.equal(calls, 1)
})

t.test('no more calls than threads can be spared hang at once', async t => {
  const ask = timeLimited(1, 2)
  const never = (): Promise<never> => new Promise(() => {})
  await t.rejects(ask('a', never), /no answer within/)
  await t.rejects(ask('b', never), /no answer within/)
  await t.rejects(ask('c', never), { message: 'c: not asked, as 2 earlier calls still hang' })
})

t.test('calls at the same moment wait for their turn, and are given up once those before them hang', async t => {
  const ask = timeLimited(20, 2)
  let running = 0
  let most = 0
  const quick = async (): Promise<number> => {
    most = Math.max(most, ++running)
    await turn()
    return running--
  }
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(subject => ask(subject, quick)))
  t.equal(most, 2)
  let asked = 0
  const never = (): Promise<never> => {
    asked++
    return new Promise(() => {})
  }
  const all = await Promise.allSettled(['f', 'g', 'h', 'i'].map(subject => ask(subject, never)))
  t.equal(asked, 2)
  t.match(
    all.map(one => one.status === 'rejected' && String(one.reason)),
    [/f: no answer/, /g: no answer/, /h: not asked, as 2/, /i: not asked, as 2/],
  )
})

t.test('a failed call is the error of its asker and leaves nothing behind', async t => {
  const ask = timeLimited(60_000, 1)
  await t.rejects(
    ask('a', async () => {
      throw new Error('EIO')
    }),
    { message: 'EIO' },
  )
  t.equal(await ask('a', async () => 1), 1)
})

t.test('a file replaced by rename is seen after close', async t => {
  const root = t.testdir({ a: 'old\n', b: 'new\n' })
  const file = realHost(root).file('/a')
  t.equal(file.read()?.toString(), 'old\n')
  renameSync(`${root}/b`, `${root}/a`)
  file.close()
  t.equal(file.read()?.toString(), 'new\n')
  file.close()
  rmSync(`${root}/a`)
  t.equal(file.read(), undefined)
})

t.test('a slow file gives its first page, an absent one is no data', async t => {
  const host = realHost(t.testdir({ sys: { temp1_input: '42000\n', long: 'x'.repeat(9000) } }))
  t.equal((await host.slow('/sys/temp1_input'))?.toString(), '42000\n')
  t.equal((await host.slow('/sys/long'))?.length, 4096)
  t.equal(await host.slow('/sys/absent'), undefined)
  t.equal((await realHost().slow('/proc/self/comm'))?.toString(), readFileSync('/proc/self/comm', 'utf8'))
})

t.test('a link is followed to a path of the machine, never out of it', async t => {
  const root = t.testdir({ sys: { devices: { pci0: {} }, class: {} } })
  symlinkSync('../devices/pci0', `${root}/sys/class/hwmon0`)
  symlinkSync('/etc', `${root}/sys/class/etc`)
  mkdirSync(`${root}/sys/devices/pci0/nvme0`)
  const host = realHost(root)
  t.equal(host.realpath('/sys/class/hwmon0/nvme0'), '/sys/devices/pci0/nvme0')
  t.equal(host.realpath('/'), '/')
  t.equal(host.realpath('/sys/class/etc'), undefined)
  t.equal(host.realpath('/sys/class/absent'), undefined)
  t.equal(realHost().realpath('/proc/self'), `/proc/${process.pid}`)
})
