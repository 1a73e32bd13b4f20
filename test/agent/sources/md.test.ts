import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { parseMdstat } from '../../../agent/md/mdstat.ts'
import { md } from '../../../agent/sources/md.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'md')
sourceContract(t, md, folder)

const defaults = md.options.read({}, new Place())
const recorded = join(folder, 'arrays-change')
const mdstat = (array: string): string => `Personalities : [raid1]\n${array}unused devices: <none>\n`
const mirror = (disks: string, slots: string): string =>
  `md0 : active raid1 ${disks}\n      1000 blocks super 1.2 ${slots}\n      \n`

function host(t: Test, array: string) {
  const root = t.testdir({ proc: { mdstat: mdstat(array) } })
  const become = (array: string): void => writeFileSync(join(root, 'proc/mdstat'), mdstat(array))
  return { ...fakeHost(root), become }
}

t.test('what lasts is told once, over restarts too', async t => {
  const keep = memoryKeep()
  const { host } = machine(t, recorded)
  const names = async (): Promise<string[]> => {
    const made = await readings(md, defaults, host, 3, undefined, keep)
    return made.flatMap(r => r.events.map(e => `${e.attributes['system.device.name']} ${e.name}`))
  }
  t.strictSame(await names(), ['md3 system.md.degraded', 'md4 system.md.failed'])
  t.strictSame(await names(), [])
})

t.test('what happened while the agent was down is told after its start', async t => {
  const keep = memoryKeep()
  const at = host(t, mirror('sda1[0] sdb1[1]', '[2/2] [UU]'))
  await readings(md, defaults, at, 2, undefined, keep)
  at.become(mirror('sda1[0]', '[2/1] [U_]'))
  const [reading] = await readings(md, defaults, at, 1, undefined, keep)
  t.strictSame(
    reading!.events.map(e => [e.name, e.body]),
    [['system.md.degraded', { level: 'raid1', disks: 2, in_sync: 1, failed: [] }]],
  )
  t.equal(reading!.values['gauge system.md.disks{system.device.name=md0,system.md.disk.state=missing} {disk}'], 1)
})

t.test('a memory that is damaged is none', async t => {
  const at = host(t, mirror('sda1[0]', '[2/1] [U_]'))
  const made = await readings(md, defaults, at, 1, undefined, memoryKeep('{nonsense'))
  t.strictSame(
    made[0]!.events.map(e => e.name),
    ['system.md.degraded'],
  )
})

t.test('a container of metadata that others manage is not started and yet not failed', async t => {
  const container = 'md127 : inactive sdb[1](S) sda[0](S)\n      5928 blocks super external:imsm\n       \n'
  const [reading] = await readings(md, defaults, host(t, container), 1)
  t.strictSame([reading!.events, Object.keys(reading!.values).filter(k => k.includes('status'))], [[], []])
})

t.test('an unchanged table is not parsed again, and an array that is gone is forgotten', async t => {
  const at = host(t, mirror('sda1[0]', '[2/1] [U_]'))
  let n = 0
  const between = (): void => at.become(++n === 3 ? '' : mirror('sda1[0]', '[2/1] [U_]'))
  const made = await readings(md, defaults, at, 6, between)
  t.strictSame(
    made.map(r => [Object.keys(r.values).length > 0, r.events.length]),
    [
      [true, 1],
      [true, 0],
      [true, 0],
      [false, 0],
      [true, 1],
      [true, 0],
    ],
  )
})

t.test('odd tables of real kernels are understood', async t => {
  const [array] = parseMdstat(
    Buffer.from(
      mdstat(
        'md_d1 : active (read-only) raid10 nvme0n1p2[0](W)(F) sdb[1](R) sdc[2](J) sdd[3]\n' +
          '      8 blocks super 1.2 512K chunks 2 near-copies [3/1] [__U]\n' +
          '      [==========>..........]  reshape = 50.0% (4/8) finish=0.1min speed=4K/sec\n' +
          '      bitmap: 0/1 pages [0KB], 65536KB chunk, file: /bitmap\n\n',
      ),
    ),
  )
  t.strictSame(array, {
    name: 'md_d1',
    active: true,
    level: 'raid10',
    disks: [
      { name: 'nvme0n1p2', state: 'failed' },
      { name: 'sdb', state: 'replacement' },
      { name: 'sdc', state: 'journal' },
      { name: 'sdd', state: 'member' },
    ],
    size: 8192,
    external: false,
    slots: { all: 3, inSync: 1 },
    sync: { action: 'reshape', running: { done: 0.5, speed: 4096 } },
    bitmap: { used: 0, all: 1 },
  })
  t.strictSame(parseMdstat(Buffer.from(mdstat(''))), [])
})

t.test('a table cut anywhere or changed at random is an error that names it, or another table', async t => {
  const random = seeded(t)
  const whole = readFileSync(join(recorded, 'input/proc/mdstat'))
  for (let end = 0; end < whole.length; end++)
    t.throws(() => parseMdstat(whole.subarray(0, end)), { message: /^\/proc\/mdstat: expected/ })
  const strange: string[] = []
  for (let n = 0; n < 5000; n++) {
    const bytes = Buffer.from(whole)
    for (let change = 1 + random.below(3); change > 0; change--) bytes[random.below(bytes.length)] = random.below(256)
    try {
      const bad = parseMdstat(bytes).some(a => !(a.size >= 0) || (a.slots && a.slots.inSync > a.slots.all))
      if (bad) strange.push(`${bytes}`)
    } catch (error) {
      if (!(error as Error).message.startsWith('/proc/mdstat: expected')) strange.push(String(error))
    }
  }
  t.strictSame(strange, [])
})
