import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parsePass } from '../../../agent/smart/pass.ts'
import { parseScan, writeReports } from '../../../agent/smart/writer.ts'
import { smart } from '../../../agent/sources/smart.ts'
import type { Host } from '../../../core/host.ts'
import type { CommandOutput } from '../../../core/host-command.ts'
import { Place } from '../../../core/shape.ts'
import { fakeHost } from '../fake-host.ts'
import { readings } from '../source-contract.ts'

interface Device {
  readonly name: string
  readonly type: string
  readonly open_error?: string
}

const sda = { name: '/dev/sda', type: 'sat' }
const behind = [0, 1].map(n => ({ name: '/dev/bus/0', type: `megaraid,${n}` }))
const nvme = { name: '/dev/nvme0', type: 'nvme' }

function output(json: unknown, status = 0): CommandOutput {
  const stdout = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  return { status, stdout, stderr: '' }
}

function report({ name, type }: Device): CommandOutput {
  const device = { name, info_name: name, type, protocol: 'ATA' }
  return output({ smartctl: { exit_status: 0 }, device, model_name: 'DISK', serial_number: `${name} ${type}` })
}

/** A host whose smartctl finds these devices and answers by `answer`; `asked` has each command line. */
function machine(
  t: Test,
  devices: readonly Device[],
  answer: (device: Device) => CommandOutput | Promise<CommandOutput> = report,
) {
  const asked: string[] = []
  const folder = join(t.testdir({}), 'run/fieldline/smart')
  const fake = fakeHost(join(folder, '../../..').replace(/\/$/, ''))
  const host: Host = {
    ...fake,
    run: async (command, args) => {
      asked.push([command, ...args].join(' '))
      if (args[0] === '--scan-open') return output({ smartctl: { exit_status: 0 }, devices })
      const type = args.at(-2)!.replace('--device=', '')
      return answer(devices.find(d => d.name === args.at(-1) && d.type === type)!)
    },
  }
  const index = () => parsePass(indexFile, readFileSync(indexFile))
  const indexFile = join(folder, 'index.json')
  return { host, folder, asked, index, pass: fake.pass }
}

t.test('each drive is asked in its own way, and the agent reads what was written', async t => {
  const { host, folder, asked, index } = machine(t, [sda, ...behind, nvme])
  const pass = await writeReports(host, folder)
  t.strictSame(index(), pass)
  t.strictSame(
    pass.drives.map(d => d.file),
    ['sda-sat.json', 'bus-0-megaraid-0.json', 'bus-0-megaraid-1.json', 'nvme0-nvme.json'],
  )
  t.match(asked[0], /^smartctl --scan-open /)
  for (const question of asked.slice(1)) {
    t.match(question, / --nocheck=standby /, 'a sleeping drive is not woken')
    t.notMatch(question, / --(test|smart|offlineauto|saveauto|set)\b/, 'nothing of the drive is changed')
  }
  t.ok(asked.some(question => question.endsWith(' --device=megaraid,1 /dev/bus/0')))
  const [reading] = await readings(smart, smart.options.read({}, new Place()), host, 1)
  t.strictSame(Object.values(reading!.values).filter(v => v === 1).length, 4, 'four drives are awake')
})

t.test('everyone may read the reports', async t => {
  const { host, folder } = machine(t, [sda])
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  await writeReports(host, folder)
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o644, name)
})

t.test('a drive that hangs, floods or prints nonsense is named, and the others are asked', async t => {
  const devices = ['a', 'b', 'c', 'd', 'e', 'f'].map(n => ({ name: `/dev/sd${n}`, type: 'sat' }))
  const { host, folder, index } = machine(t, devices, async device => {
    if (device.name === '/dev/sda') throw new Error('no answer within 30 s')
    if (device.name === '/dev/sdb') return output('Segmentation fault\n')
    if (device.name === '/dev/sdc') return output('7')
    return report(device)
  })
  await writeReports(host, folder)
  t.match(index().drives, [
    { device: '/dev/sda', trouble: 'no answer within 30 s' },
    { device: '/dev/sdb', trouble: /^its report: is not JSON/ },
    { device: '/dev/sdc', trouble: /^its report: expected a JSON map/ },
    { file: 'sdd-sat.json' },
    { file: 'sde-sat.json' },
    { file: 'sdf-sat.json' },
  ])
})

t.test('a drive that hangs does not keep the others waiting', async t => {
  const devices = Array.from({ length: 12 }, (_, n) => ({ name: `/dev/sd${n}`, type: 'sat' }))
  const { promise, resolve } = Promise.withResolvers<void>()
  let answered = 0
  const { host, folder, index } = machine(t, devices, async device => {
    if (device.name === '/dev/sd0') {
      await promise
      throw new Error('no answer within 30 s')
    }
    if (++answered === devices.length - 1) resolve()
    return report(device)
  })
  await writeReports(host, folder)
  t.equal(index().drives.filter(d => d.file !== undefined).length, devices.length - 1)
})

t.test('no further drive is asked once the pass has taken too long', async t => {
  const devices = Array.from({ length: 9 }, (_, n) => ({ name: `/dev/sd${n}`, type: 'sat' }))
  const { host, folder, index, pass } = machine(t, devices, async device => {
    pass(30_000)
    return report(device)
  })
  const monotonic = host.monotonic
  await writeReports({ ...host, monotonic }, folder, { drive: 30_000, pass: 100_000 })
  const late = index().drives.filter(d => d.trouble !== undefined)
  t.equal(late.length, 5, 'four were being asked when it was time')
  t.match(late[0], { trouble: /took too long/ })
})

t.test('a drive whose smartctl still hangs from before is not asked again', async t => {
  const first = machine(t, [sda, nvme])
  await writeReports(first.host, first.folder)
  const words = first.asked.find(question => question.endsWith('/dev/sda'))!.split(' ')
  const proc = join(first.host.root, 'proc/4711')
  mkdirSync(proc, { recursive: true })
  writeFileSync(join(proc, 'cmdline'), ['/usr/sbin/smartctl', ...words.slice(1), ''].join('\0'))
  first.asked.length = 0
  await writeReports(first.host, first.folder)
  t.match(first.index().drives, [{ device: '/dev/sda', trouble: /still hangs/ }, { file: 'nvme0-nvme.json' }])
  t.notOk(first.asked.some(question => question.endsWith('/dev/sda')))
})

t.test('a device that cannot be opened is named with the reason and not asked', async t => {
  const { host, folder, asked, index } = machine(t, [{ ...sda, open_error: 'No such device' }])
  await writeReports(host, folder)
  t.strictSame(index().drives, [{ device: '/dev/sda', type: 'sat', trouble: 'No such device' }])
  t.equal(asked.length, 1)
})

t.test('reports of drives that are gone are removed, and no other file', async t => {
  const first = machine(t, [sda, nvme])
  await writeReports(first.host, first.folder)
  writeFileSync(join(first.folder, 'notes.json'), '{}')
  const scan = { smartctl: {}, devices: [nvme] }
  const run: Host['run'] = async (_, args) => (args[0] === '--scan-open' ? output(scan) : report(nvme))
  await writeReports({ ...first.host, run }, first.folder)
  t.strictSame(readdirSync(first.folder).sort(), ['index.json', 'notes.json', 'nvme0-nvme.json'])
})

t.test('a folder with an index of somebody else is left alone', async t => {
  const { host, folder, asked } = machine(t, [sda])
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'index.json'), '{"pages":[]}')
  await t.rejects(writeReports(host, folder), { message: /index\.json: is no index of reports/ })
  t.equal(asked.length, 0)
  t.strictSame(readdirSync(folder), ['index.json'])
})

t.test('without smartctl, or without an answer of it, the reports stay as they are', async t => {
  const { host, folder, index } = machine(t, [sda])
  await writeReports(host, folder)
  const before = index()
  await t.rejects(writeReports({ ...host, run: async () => undefined }, folder), { message: /smartmontools/ })
  await t.rejects(writeReports({ ...host, run: async () => output('oops') }, folder), { message: /--scan-open/ })
  t.strictSame(index(), before)
  t.ok(existsSync(join(folder, 'sda-sat.json')))
})

t.test('what smartctl finds never becomes an option', async t => {
  const devices = ['--set=x', '/dev/sd a', '/dev/x;y', '', '/dev/sda'].map(name => ({ name, type: 'sat' }))
  const types = ['--test=long', 'sat --smart=off', ''].map(type => ({ name: '/dev/sdb', type }))
  const found = parseScan(Buffer.from(JSON.stringify({ smartctl: {}, devices: [...devices, ...types] })))
  t.strictSame(
    found.map(d => d.device),
    ['/dev/sda'],
  )
})
