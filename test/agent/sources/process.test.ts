import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { groupName, parseFdSize, parseIo, parsePageSize, parseStat } from '../../../agent/process/stat.ts'
import { processes as source } from '../../../agent/sources/process.ts'
import { realHost } from '../../../core/host.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

const cases = join(import.meta.dirname, 'process')
sourceContract(t, source, cases)

const recorded = readFileSync(join(cases, 'few-processes/input/proc/77/stat'))

interface Told {
  readonly pid: number
  readonly name?: string
  readonly ticks?: number
  readonly started?: number
  readonly pages?: number
}

function put(root: string, { pid, name = 'worker', ticks = 0, started = 10, pages = 1 }: Told): void {
  mkdirSync(join(root, `proc/${pid}`), { recursive: true })
  const tail = `S 1 1 1 0 -1 4194304 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${started} 8192 ${pages} 0\n`
  writeFileSync(join(root, `proc/${pid}/stat`), `${pid} (${name}) ${tail}`)
}

function machineOf(t: Test, ...processes: readonly Told[]) {
  const root = t.testdir({})
  for (const one of processes) put(root, one)
  const host = fakeHost(root)
  // A file removed from a folder lives on in an open descriptor; one of the kernel does not.
  return { root, host: { ...host, file: (path: string) => ({ read: () => host.read(path), close: () => {} }) } }
}

function optionsOf(raw: object) {
  return source.options.read(raw, new Place())
}

const cpuOf = (values: Readonly<Record<string, number>>, name = 'worker'): number | undefined =>
  values[`counter process.cpu.time{process.executable.name=${name},cpu.mode=user} s`]
const names = (values: Readonly<Record<string, number>>): readonly string[] => [
  ...new Set(Object.keys(values).flatMap(key => /executable\.name=([^,}]+)/.exec(key)?.[1] ?? [])),
]

t.test('what a program used up is kept when its processes end, and another under the same PID is another', async t => {
  const { root, host } = machineOf(t, { pid: 7, ticks: 500 }, { pid: 8, ticks: 100 })
  const steps = [
    () => rmSync(join(root, 'proc/7'), { recursive: true }),
    () => put(root, { pid: 8, ticks: 30, started: 99 }),
    () => put(root, { pid: 8, ticks: 50, started: 99 }),
  ]
  const made = await readings(source, optionsOf({}), host, 4, () => steps.shift()!())
  t.strictSame(
    made.map(r => cpuOf(r.values)),
    [6, 6, 6.3, 6.5],
  )
})

t.test('a program that all processes of left goes on counting when it comes back', async t => {
  const { root, host } = machineOf(t, { pid: 7, ticks: 500 }, { pid: 1, name: 'init' })
  const steps = [() => rmSync(join(root, 'proc/7'), { recursive: true }), () => put(root, { pid: 9, ticks: 20 })]
  const made = await readings(source, optionsOf({}), host, 3, () => steps.shift()!())
  t.strictSame(
    made.map(r => cpuOf(r.values)),
    [5, undefined, 5.2],
  )
})

t.test('only those that took the most are told, by CPU and by memory, and those that are named', async t => {
  const many = Array.from({ length: 50 }, (_, n) => ({ pid: n + 1, name: `p${n}`, ticks: n, pages: 100 - n }))
  const { host } = machineOf(t, ...many)
  const [reading] = await readings(source, optionsOf({ top: 2, include: ['p2?'] }), host, 1)
  const named = Array.from({ length: 10 }, (_, n) => `p2${n}`)
  t.strictSame(names(reading!.values).toSorted(), ['p0', 'p1', ...named, 'p48', 'p49'].toSorted())
  const [none] = await readings(source, optionsOf({ top: 0 }), host, 1)
  t.strictSame(names(none!.values), [])
})

t.test('a few hundred descriptors are kept open, and given back when their processes end', async t => {
  const { root } = machineOf(t, ...Array.from({ length: 400 }, (_, n) => ({ pid: n + 1 })))
  const host = { ...fakeHost(root), file: realHost(root).file }
  const stop = new AbortController()
  const before = readdirSync('/proc/self/fd').length
  const open: number[] = []
  const running = source.open(optionsOf({}), { name: 'process', host, say: () => {}, keep: memoryKeep() })
  await running.run(async () => {
    open.push(readdirSync('/proc/self/fd').length - before)
    if (open.length === 3) stop.abort()
    for (let pid = 1; pid <= 390; pid++) rmSync(join(root, `proc/${pid}`), { recursive: true, force: true })
  }, stop.signal)
  t.strictSame(open, [256, 0, 10])
})

t.test('each process alone has its PID', async t => {
  const { host } = machineOf(t, { pid: 7, ticks: 500 }, { pid: 8, ticks: 100 })
  const [reading] = await readings(source, optionsOf({ per_process: true }), host, 1)
  t.equal(reading!.values['counter process.cpu.time{process.executable.name=worker,process.pid=8,cpu.mode=user} s'], 1)
  t.notOk(Object.keys(reading!.values).some(key => key.includes(' process.count{')))
})

t.test('processes that are hidden from us make no count of states', async t => {
  const { root, host } = machineOf(t, { pid: 7 })
  const states = (values: Readonly<Record<string, number>>): number =>
    Object.keys(values).filter(key => key.includes('process.state')).length
  const between = (): void => void mkdirSync(join(root, 'proc/8/task'), { recursive: true })
  const made = await readings(source, optionsOf({}), host, 2, between)
  t.strictSame(
    made.map(r => states(r.values)),
    [4, 0],
  )
})

t.test('thousands of processes are read in slices, and the rests keep it below a tenth of a CPU', async t => {
  const { root } = machineOf(t, ...Array.from({ length: 300 }, (_, n) => ({ pid: n + 1 })))
  const host = fakeHost(root)
  const slow = {
    ...host,
    // 1 ms a process.
    file: (path: string) => ({
      read: () => {
        host.pass(1)
        return host.read(path)
      },
      close: () => {},
    }),
    read: (path: string) => {
      host.pass(1)
      return host.read(path)
    },
  }
  const before = { time: host.monotonic(), sleeps: host.sleeps }
  await source.open(optionsOf({}), {
    name: 'process',
    host: slow,
    say: () => {},
    keep: memoryKeep(),
  }).once!(new AbortController().signal)
  t.ok(host.sleeps - before.sleeps >= 50, `${host.sleeps - before.sleeps} rests`)
  t.ok(host.monotonic() - before.time >= 2900)
})

t.test('a name may hold blanks, parentheses and line ends', async t => {
  for (const name of ['a b', ') S 1 (', 'x)\n)', '((', '']) {
    const line = recorded.toString().replace(/\(.*\)/s, `(${name})`)
    t.equal(parseStat('/proc/7/stat', Buffer.from(line)).name, name)
  }
})

t.test('kernel threads are known by their first word', async t => {
  const group = (name: string, isKernelThread = true): string => groupName({ name, isKernelThread })
  t.equal(group('kworker/u8:2-events'), 'kworker')
  t.equal(group('irq/24-pciehp'), 'irq')
  t.equal(group('a/b', false), 'a/b')
})

t.test('damaged files end in an error that names them, or in what the whole file says', async t => {
  const random = seeded(t)
  const whole = parseStat('/proc/77/stat', recorded)
  for (let n = 0; n < 3000; n++) {
    const cut = recorded.subarray(0, random.below(recorded.length))
    try {
      t.strictSame(parseStat('/proc/77/stat', cut), whole)
    } catch (error) {
      t.match(error, { message: /^\/proc\/77\/stat: / })
    }
    const noise = Buffer.from(recorded)
    noise[random.below(noise.length)] = random.below(256)
    for (const bytes of [noise, Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)))]) {
      for (const parse of [parseStat, parseIo, parseFdSize]) {
        try {
          const told = parse('/proc/77/x', bytes)
          t.ok(Object.values(told).every(value => typeof value !== 'number' || (value >= 0 && Number.isFinite(value))))
        } catch (error) {
          t.match(error, { message: /^\/proc\/77\/x: / })
        }
      }
    }
  }
})

t.test('the page size is that of the auxiliary vector', async t => {
  const auxv = Buffer.alloc(48)
  auxv.writeBigUInt64LE(17n, 0)
  auxv.writeBigUInt64LE(100n, 8)
  auxv.writeBigUInt64LE(6n, 16)
  auxv.writeBigUInt64LE(65_536n, 24)
  t.equal(parsePageSize(auxv), 65_536)
  t.equal(parsePageSize(auxv.subarray(0, 20)), undefined)
})
