// What every source of a host must do, over fixture folders. A case is a folder:
//   input/         the machine's files at the first reading, only such as the source reads
//                  (an empty file is there for its name alone: an open descriptor, a folder's entry)
//   later/         the machine's files at a second reading, where there is one
//   options.json   the configuration, where it is not {}
//   commands.json  command line -> { stdout: file in the case's folder, status, stderr }, for sources that ask a program;
//                  any other is not installed. laterCommands.json for the second reading, where it differs
//   statfs.json    mount point -> device and size as FilesystemSize has them, for sources that ask; absent ones are absent
//   keep.txt       what an earlier run saved, where there was one
//   expected.json  a list of readings, each `kind name{attribute=value,...} unit` -> value
//   events.json    a list of events for each reading, where there are any: name, severity, body, attributes

import {
  cpSync,
  existsSync,
  globSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { type Keep, memoryKeep } from '../../agent/keep.ts'
import type { Source } from '../../agent/source.ts'
import type { FilesystemSize, Host } from '../../core/host.ts'
import { realHost } from '../../core/host.ts'
import type { CommandOutput } from '../../core/host-command.ts'
import { type Attributes, type Event, type Sample, type Series, seriesKinds } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { fakeHost } from './fake-host.ts'

type Values = Readonly<Record<string, number>>

interface Reading {
  readonly success: boolean
  readonly values: Values
  readonly samples: readonly Sample[]
  readonly events: readonly Event[]
  /** What was said up to here. */
  readonly said: readonly string[]
}

/** Runs the whole suite over every case folder in `folder`. */
export function sourceContract<O>(t: Test, source: Source<O>, folder: string): void {
  const cases = readdirSync(folder).map(name => join(folder, name))
  for (const one of cases) {
    t.test(`${source.name} reads ${basename(one)} as expected`, t => readsAsExpected(t, source, one))
    t.test(`${source.name} over ${basename(one)} makes up nothing when files are absent or damaged`, t =>
      makesUpNothing(t, source, one),
    )
  }
  t.test(`${source.name} tells what it declares, and nothing else`, t => keepsItsWord(t, source, cases))
  t.test(`${source.name} finds no data on a machine without its files, and no failure`, t => findsNothing(t, source))
  t.test(`${source.name} stops when told, before and after its start, and holds nothing then`, t =>
    stops(t, source, cases[0]!),
  )
  t.test(`${source.name} has defaults and refuses what it does not know`, async t => knowsItsOptions(t, source))
}

async function readsAsExpected<O>(t: Test, source: Source<O>, one: string): Promise<void> {
  const { root, host } = machine(t, one)
  const expected = json(one, 'expected.json', []) as readonly Values[]
  const between = (): void => later(one, root, host)
  const made = await readings(source, optionsOf(t, source, one), host, expected.length, between, kept(one))
  t.strictSame(
    made.map(r => r.values),
    expected,
  )
  for (const reading of made) checkSamples(t, reading)
  const events = made.map(r => r.events.map(({ time: _, ...told }) => told))
  t.strictSame(
    events,
    json(
      one,
      'events.json',
      made.map(() => []),
    ),
  )
  const known = new Map<string, Series>()
  for (const { series } of made.flatMap(r => r.samples)) {
    const key = nameOf(series)
    t.equal(known.get(key) ?? series, series, `${key} is the same object at each reading`)
    known.set(key, series)
  }
}

/** Every series is of a declared metric, and every declared metric and event is seen in some case. */
async function keepsItsWord<O>(t: Test, source: Source<O>, cases: readonly string[]): Promise<void> {
  const { metrics, events = [] } = source
  if (metrics === undefined) return
  const declared = new Map(metrics.map(m => [`${m.kind} ${m.name} ${m.unit}`, m]))
  t.equal(declared.size, metrics.length, 'no metric twice')
  const met = new Set<unknown>()
  const meet = (
    what: string,
    attributes: Attributes,
    found: { readonly attributes: readonly string[] } | undefined,
  ) => {
    met.add(found)
    const strange = Object.keys(attributes).filter(key => !found?.attributes.includes(key))
    if (found === undefined || strange.length > 0) t.fail(`${what} is not as declared`, { strange })
  }
  for (const one of cases) {
    for (const reading of await allReadings(t, source, one)) {
      for (const { series: s } of reading.samples) {
        meet(nameOf(s), s.attributes, declared.get(`${s.kind} ${s.name} ${s.unit}`))
      }
      for (const event of reading.events) {
        meet(
          event.name,
          event.attributes,
          events.find(e => e.name === event.name),
        )
      }
    }
  }
  const missing = [...metrics, ...events].filter(m => !met.has(m)).map(m => m.name)
  t.strictSame(missing, [], 'each metric and event is in some case')
}

function allReadings<O>(t: Test, source: Source<O>, one: string): Promise<readonly Reading[]> {
  const { root, host } = machine(t, one)
  const count = (json(one, 'expected.json', []) as unknown[]).length
  return readings(source, optionsOf(t, source, one), host, count, () => later(one, root, host), kept(one))
}

function checkSamples(t: Test, { samples }: Reading): void {
  t.ok(
    samples.every(s => Number.isFinite(s.value) && s.time === samples[0]!.time),
    'finite values of one moment',
  )
  t.ok(samples.every(({ series: s }) => /^[a-z][a-z0-9_.]+$/.test(s.name) && s.unit && seriesKinds.includes(s.kind)))
  t.equal(new Set(samples.map(s => nameOf(s.series))).size, samples.length, 'each series once')
}

/** Damaged files fail the reading or their device, naming the file, or leave values that are true. */
async function makesUpNothing<O>(t: Test, source: Source<O>, one: string): Promise<void> {
  const options = optionsOf(t, source, one)
  const [truth] = json(one, 'expected.json', []) as readonly Values[]
  const { root, host } = machine(t, one)
  for (const file of globSync('**/*', { cwd: root }).filter(f => isFile(root, f))) {
    const whole = readFileSync(join(root, file))
    if (whole.length === 0) continue
    for (const { what, bytes, fails } of damages(whole)) {
      if (bytes === undefined) rmSync(join(root, file))
      else writeFileSync(join(root, file), bytes)
      const [reading] = await readings(source, options, host, 1)
      const verdict = judge(reading!, truth!, `/${file}`, fails)
      if (verdict !== undefined) t.fail(`/${file} ${what}: ${verdict}`, { said: reading!.said })
    }
    writeFileSync(join(root, file), whole)
  }
  t.strictSame((await readings(source, options, host, 1))[0]!.values, truth, 'reads again what is whole again')
}

function judge({ success, values, said }: Reading, truth: Values, file: string, fails: boolean): string | undefined {
  if (!success && !said.some(text => text.includes(file))) return 'the failure does not name the file'
  if (!success && Object.keys(values).length > 0) return 'values although it failed'
  if (success && fails && !said.some(text => text.includes(file))) return 'nonsense was taken for data'
  const wrong = Object.keys(values).find(key => !isTrue(key, values[key]!, truth))
  return wrong === undefined ? undefined : `${wrong} became ${values[wrong]}, it is ${truth[wrong]}`
}

/** A series without the attribute that an absent file would have given (a label) is still true. */
function isTrue(key: string, value: number, truth: Values): boolean {
  if (key in truth) return truth[key] === value
  const [head, pairs] = partsOf(key)
  return Object.keys(truth).some(whole => {
    const [wholeHead, wholePairs] = partsOf(whole)
    return truth[whole] === value && head === wholeHead && pairs.every(pair => wholePairs.includes(pair))
  })
}

/** `kind name unit` and the attributes of what `nameOf` made. */
function partsOf(key: string): [string, readonly string[]] {
  const [, before, pairs, after] = /^([^{]*)\{(.*)\}( \S+)$/.exec(key) ?? ['', key, '', '']
  return [before! + after!, pairs === '' ? [] : pairs!.split(',')]
}

interface Damage {
  readonly what: string
  /** Undefined: the file is absent. */
  readonly bytes: Buffer | string | undefined
  readonly fails: boolean
}

function damages(whole: Buffer): Damage[] {
  const text = whole.toString('latin1')
  const cuts = new Set(Array.from({ length: 40 }, (_, n) => Math.floor((whole.length * n) / 40)))
  const numbers = [...text.matchAll(/(?<=[\s:])\d+(?=\s)/g)]
  const some = numbers.filter((_, n) => n % Math.ceil(numbers.length / 20) === 0)
  const nonsense = [
    '\0'.repeat(200),
    '\xff\xfe\n'.repeat(50),
    '<html>\n<body>502 Bad Gateway</body>\n</html>\n',
    '-7\n\n',
  ]
  return [
    { what: 'absent', bytes: undefined, fails: false },
    ...[...cuts].map(at => ({ what: `cut at byte ${at}`, bytes: whole.subarray(0, at), fails: false })),
    ...some.map(({ index, 0: digits }) => ({
      what: `with a counter below zero at byte ${index}`,
      bytes: Buffer.from(`${text.slice(0, index)}18446744073709551615${text.slice(index + digits.length)}`, 'latin1'),
      fails: false,
    })),
    ...nonsense.map(bytes => ({ what: `as ${JSON.stringify(bytes.slice(0, 9))}`, bytes, fails: true })),
  ]
}

async function findsNothing<O>(t: Test, source: Source<O>): Promise<void> {
  const [reading] = await readings(source, defaults(t, source), fakeHost(t.testdir({})), 1)
  t.strictSame(reading!.values, {})
  t.equal(reading!.success, true)
  t.strictSame(reading!.said, [])
}

async function stops<O>(t: Test, source: Source<O>, one: string): Promise<void> {
  const recorded = machine(t, one)
  // The real way of reading, with descriptors kept open.
  const host = { ...recorded.host, file: realHost(recorded.root).file }
  const running = source.open(optionsOf(t, source, one), { name: source.name, host, say: () => {}, keep: memoryKeep() })
  const before = readdirSync('/proc/self/fd').length
  let emitted = 0
  await running.run(async () => void emitted++, AbortSignal.abort())
  t.equal(emitted, 0, 'an abort before the start')
  const stop = new AbortController()
  const stopping = async (): Promise<void> => {
    if (++emitted < 3) return
    stop.abort()
    stop.abort()
  }
  await running.run(stopping, stop.signal)
  t.equal(emitted, 3)
  await running.once?.(new AbortController().signal)
  t.equal(readdirSync('/proc/self/fd').length, before, 'descriptors are given back')
}

function knowsItsOptions<O>(t: Test, source: Source<O>): void {
  defaults(t, source)
  for (const wrong of [{ colour: 'red' }, { interval: '50ms' }, { interval: 10 }]) {
    const place = new Place()
    source.options.read(wrong, place)
    t.equal(place.problems.length, 1, JSON.stringify(wrong))
  }
}

function defaults<O>(t: Test, source: Source<O>): O {
  return optionsFrom(t, source, {})
}

function optionsOf<O>(t: Test, source: Source<O>, one: string): O {
  return optionsFrom(t, source, json(one, 'options.json', {}))
}

function optionsFrom<O>(t: Test, source: Source<O>, raw: unknown): O {
  const place = new Place()
  const options = source.options.read(raw, place)
  t.strictSame(place.problems, [])
  return options
}

/** Runs the source on a clock that passes by itself; what it tells of itself is taken out of the values. */
export async function readings<O>(
  source: Source<O>,
  options: O,
  host: Host,
  count: number,
  between: () => void = () => {},
  keep = memoryKeep(),
): Promise<readonly Reading[]> {
  const made: Reading[] = []
  const said: string[] = []
  const stop = new AbortController()
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  const running = source.open(options, { name: source.name, host, say, keep })
  await running.run(async ({ samples, events }) => {
    const success = samples.find(s => s.series.name === 'fieldline.source.success')?.value === 1
    const device = samples.filter(s => !s.series.name.startsWith('fieldline.'))
    const values = Object.fromEntries(device.map(s => [nameOf(s.series), s.value]))
    made.push({ success, values, samples: device, events, said: [...said] })
    if (made.length === count) stop.abort()
    else between()
  }, stop.signal)
  return made
}

/** `kind name{attribute=value,...} unit` */
export function nameOf({ kind, name, unit, attributes }: Series): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${value}`)
  return `${kind} ${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${unit}`
}

/** A host whose programs answer from recordings. */
export interface CaseHost extends Host {
  answers: Readonly<Record<string, CommandOutput>>
}

/** The case's input in a folder of its own, and a host that sees it. */
export function machine(
  t: Test,
  one: string,
  root = t.testdir({}),
): { readonly root: string; readonly host: CaseHost } {
  replaceTree(root, join(one, 'input'))
  const mounts = json(one, 'statfs.json', {}) as Readonly<Record<string, FilesystemSize & { readonly device: string }>>
  const fake = fakeHost(root)
  const reopening = (path: string) => {
    const file = fake.file(path)
    // A file removed from a fixture lives on in an open descriptor; one of the kernel does not.
    const read = (): Buffer | undefined => {
      const bytes = file.read()
      file.close()
      return bytes
    }
    return { ...file, read, close: () => file.close() }
  }
  const host: CaseHost = {
    ...fake,
    answers: answersOf(one, 'commands.json'),
    file: reopening,
    statfs: async path => mounts[path],
    device: async path => mounts[path]?.device,
    run: async (command, args) => host.answers[[command, ...args].join(' ')],
    own: async args => host.answers[['fieldline', ...args].join(' ')],
    stream: (command, args) => streamOf(host.answers[[command, ...args].join(' ')]),
  }
  return { root, host }
}

function answersOf(one: string, name: string): CaseHost['answers'] {
  const told = json(one, name, {}) as Readonly<Record<string, { stdout?: string; status?: number; stderr?: string }>>
  const answer = ({ stdout, status = 0, stderr = '' }: (typeof told)[string]): CommandOutput => ({
    stdout: stdout === undefined ? Buffer.alloc(0) : readFileSync(join(one, stdout)),
    status,
    stderr,
  })
  return Object.fromEntries(Object.entries(told).map(([line, one]) => [line, answer(one)]))
}

function streamOf(answer: CommandOutput | undefined): AsyncIterable<Buffer> | undefined {
  if (answer === undefined) return undefined
  return (async function* () {
    yield answer.stdout
  })()
}

function kept(one: string): Keep {
  const file = join(one, 'keep.txt')
  return memoryKeep(existsSync(file) ? readFileSync(file, 'utf8') : undefined)
}

/** The machine of the second reading. */
export function later(one: string, root: string, host: CaseHost): void {
  replaceTree(root, join(one, 'later'))
  if (existsSync(join(one, 'laterCommands.json'))) host.answers = answersOf(one, 'laterCommands.json')
}

/** No tree: the files stay as they are. */
function replaceTree(root: string, tree: string): void {
  if (!existsSync(tree)) return
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true })
  cpSync(tree, root, { recursive: true, verbatimSymlinks: true })
}

/** Once each: not by the links to it that /sys has. */
function isFile(root: string, file: string): boolean {
  return realpathSync(join(root, file)) === join(realpathSync(root), file) && statSync(join(root, file)).isFile()
}

function json(folder: string, name: string, absent: unknown): unknown {
  const path = join(folder, name)
  return globSync(path).length === 0 ? absent : JSON.parse(readFileSync(path, 'utf8'))
}
