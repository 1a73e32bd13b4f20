import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Keep } from '../../../agent/keep.ts'
import { memoryKeep } from '../../../agent/keep.ts'
import { nvidia } from '../../../agent/sources/nvidia.ts'
import { watched } from '../../../agent/watched.ts'
import { type Host, realHost } from '../../../core/host.ts'
import type { Event, Observation } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'nvidia')
sourceContract(t, nvidia, folder)

const recorded = readFileSync(join(folder, 'two-gpus/documents.xml'), 'utf8')
const [first, second, third] = recorded.split(/(?<=<\/nvidia_smi_log>\n)/) as [string, string, string]
const every = nvidia.options.read({ interval: '1s' }, new Place())
const real = realHost('/')

/** What one `nvidia-smi -q -x` that prints this is taken for. */
async function read(stdout: string | Buffer, status = 0): Promise<Observation> {
  const run: Host['run'] = async (_, [first]) =>
    first === '-q' ? { status, stdout: Buffer.from(stdout), stderr: '' } : undefined
  const at = { name: 'nvidia', host: { ...real, run }, say: () => {}, keep: memoryKeep() }
  return nvidia.open(every, at).once!(AbortSignal.timeout(10_000))
}

/** Without the GPU's own attributes. */
function short({ samples }: Observation): Record<string, number> {
  return Object.fromEntries(
    samples.map(({ series: { name, attributes }, value }) => {
      const { 'hw.id': _, 'hw.name': __, 'hw.model': ___, 'hw.type': ____, ...rest } = attributes
      return [[name, ...Object.values(rest)].join(' '), value]
    }),
  )
}

let files = 0

function file(t: Test, text: string): string {
  const folder = existsSync(t.testdirName) ? t.testdirName : t.testdir({})
  const path = join(folder, `nvidia-smi-${files++}`)
  writeFileSync(path, text)
  return path
}

/** Runs the source with a script in place of nvidia-smi until `enough`. */
async function runs(t: Test, script: string, enough: (told: readonly Observation[]) => boolean, keep?: Keep) {
  const program = file(t, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const host: Host = {
    ...real,
    run: async () => undefined,
    stream: (_, args, signal) => real.stream(program, args, signal),
    sleep: async () => {},
  }
  const stop = new AbortController()
  const told: Observation[] = []
  const running = nvidia.open(every, { name: 'nvidia', host, say: () => {}, keep: keep ?? memoryKeep() })
  const emit = async (observation: Observation): Promise<void> => {
    told.push(observation)
    if (enough(told)) stop.abort()
  }
  const begin = async (): Promise<string | undefined> => {
    try {
      await running.run(emit, stop.signal)
      return undefined
    } catch (error) {
      return error instanceof Error ? `${error.message}; ${error.cause ?? ''}` : String(error)
    }
  }
  return { told, begin }
}

const names = (events: readonly Event[]): string[] => events.map(e => e.name)

t.test('the interval is whole seconds', async t => {
  for (const [raw, problems] of [
    ['1s', 0],
    ['1500ms', 1],
    ['500ms', 1],
    ['1m', 0],
  ] as const) {
    const place = new Place()
    nvidia.options.read({ interval: raw }, place)
    t.equal(place.problems.length, problems, raw)
  }
})

t.test('a running program is read document by document, in whatever pieces they come', async t => {
  const path = file(t, first)
  const script = `while :; do head -c 3000 ${path}; sleep 0.02; tail -c +3001 ${path}; sleep 0.02; done`
  const { told, begin } = await runs(t, script, all => all.length === 3)
  t.equal(await begin(), undefined)
  t.equal(short(told[0]!)['hw.temperature gpu'], 35)
  t.strictSame(
    told.map(o => o.samples.find(s => s.series.name === 'hw.gpu.utilization')?.value),
    [0.97, 0.97, 0.97],
  )
})

t.test('one that dies is told of, and begun anew by whoever runs the source', async t => {
  const { told, begin } = await runs(
    t,
    `cat ${file(t, first)}; echo broken; echo why >&2; exit 9`,
    all => all.length === 5,
  )
  t.match(await begin(), /nvidia-smi -q -x failed: broken; Error: .*nvidia-smi-\d+ -q -x -l 1: ended with 9: why/)
  t.match(await begin(), /ended with 9/)
  const success = told.map(o => o.samples.find(s => s.series.name === 'fieldline.source.success')?.value)
  t.strictSame(success, [1, 0, 1, 0])
})

t.test('one that ends by itself without a word is an error too', async t => {
  const { begin } = await runs(t, 'exit 0', () => false)
  t.match(await begin(), /nvidia-smi -q -x: ended by itself/)
})

t.test('one that floods is ended', async t => {
  const { begin } = await runs(t, 'exec yes "<gpu>"', () => false)
  t.match(await begin(), /printed 8388608 bytes without ending a document/)
})

t.test('one that falls silent is ended', async t => {
  const silent = (signal: AbortSignal) => real.stream('sh', ['-c', 'echo once; exec sleep 60'], signal)
  const pieces: string[] = []
  const listen = async (): Promise<void> => {
    for await (const piece of watched(new AbortController().signal, 100, silent)!) pieces.push(piece.toString())
  }
  await t.rejects(listen(), /nothing printed for 0.1 s/)
  t.strictSame(pieces, ['once\n'])
})

t.test('without any GPU there is no data and no failure, and what was there is lost', async t => {
  const keep = memoryKeep()
  const before = await runs(t, `cat ${file(t, first)}; sleep 9`, all => all.length === 1, keep)
  await before.begin()
  const none = await runs(t, 'echo No devices were found; exit 6', all => all.length === 2, keep)
  t.equal(await none.begin(), undefined)
  t.strictSame(names(none.told[0]!.events), ['hw.gpu.lost', 'hw.gpu.lost'])
  t.strictSame(names(none.told[1]!.events), [], 'once')
})

t.test('a GPU that is lost with the program is told of once, also over a restart, and so is its return', async t => {
  const keep = memoryKeep()
  await (await runs(t, `cat ${file(t, first)}; sleep 9`, all => all.length === 1, keep)).begin()
  const line = 'Unable to determine the device handle for GPU1: 0000:AF:00.0: Unknown Error'
  for (const expected of [['hw.gpu.lost'], []]) {
    const lost = await runs(t, `echo '${line}'; exit 15`, () => false, keep)
    t.match(await lost.begin(), /Unknown Error/)
    t.strictSame(
      lost.told.flatMap(o => names(o.events)),
      expected,
    )
  }
  const back = await runs(t, `cat ${file(t, third)}; sleep 9`, all => all.length === 1, keep)
  await back.begin()
  t.ok(names(back.told[0]!.events).includes('hw.gpu.returned'))
})

t.test(
  'one that is listed still, with words in place of values, is lost; one without its uuid is known by its place',
  async t => {
    const lost = first.replace('>35 C<', '>[GPU is lost]<').replace('GPU-00000000-0000-0000-0000-000000000002', 'ERR!')
    const nameless = first.replace('GPU-00000000-0000-0000-0000-000000000002', 'Unknown Error')
    const all = [first, nameless, lost, lost, first].join('')
    const { told, begin } = await runs(t, `cat ${file(t, all)}; sleep 9`, seen => seen.length === 5)
    await begin()
    t.strictSame(
      told.map(o => o.events.map(e => [e.name, e.attributes['hw.name']])),
      [[], [], [['hw.gpu.lost', 'nvidia1']], [], [['hw.gpu.returned', 'nvidia1']]],
    )
    const ids = told.map(o => new Set(o.samples.flatMap(s => s.series.attributes['hw.name'] ?? [])).size)
    t.strictSame(ids, [2, 2, 1, 1, 2])
    t.equal(
      new Set(told.flatMap(o => o.samples.map(s => s.series.attributes['hw.id']))).size,
      3,
      'two GPUs, and the source',
    )
  },
)

t.test('one that is lost before it was ever seen is known by its place', async t => {
  const keep = memoryKeep()
  const text = `GPU0000:99:00.0: GPU is lost\n${first}`
  const { told, begin } = await runs(t, `cat ${file(t, text + text)}; sleep 9`, all => all.length === 2, keep)
  await begin()
  t.strictSame(
    told.map(o => o.events.map(e => [e.name, e.attributes['hw.id']])),
    [[['hw.gpu.lost', '0000:99:00.0']], []],
  )
})

t.test('events that were not made durable are told again, others not', async t => {
  const keep = memoryKeep()
  await (await runs(t, `cat ${file(t, first)}; sleep 9`, all => all.length === 1, keep)).begin()
  const stop = new AbortController()
  const stdout = Buffer.from(second)
  const host: Host = {
    ...real,
    run: async () => undefined,
    stream: () =>
      (async function* () {
        yield stdout
      })(),
  }
  const running = nvidia.open(every, { name: 'nvidia', host, say: () => {}, keep })
  const refuses = async (): Promise<void> => {
    stop.abort()
    throw new Error('disk full')
  }
  await running.run(refuses, stop.signal)
  for (const expected of [6, 0]) {
    const { told, begin } = await runs(t, `cat ${file(t, second)}; sleep 9`, all => all.length === 1, keep)
    await begin()
    t.equal(told[0]!.events.length, expected)
  }
})

t.test('a slowdown ends when it did not come back for a minute', async t => {
  const { GpuWatch } = await import('../../../agent/gpu/gpu-watch.ts')
  const watch = new GpuWatch(undefined)
  const at = (seconds: number, active: boolean): string[] => {
    const conditions = [{ event: 'hw.gpu.slowdown', attributes: { 'hw.gpu.throttle.reason': 'x' }, active }]
    const gpu = { id: 'a', address: undefined, attributes: { 'hw.id': 'a' }, conditions, uncorrected: undefined }
    return watch.observe([gpu], '', seconds * 1000).map(e => JSON.stringify(e.body))
  }
  t.strictSame(
    [at(0, true), at(1, false), at(50, true), at(51, false), at(110, false), at(111, false), at(112, true)],
    [['{"state":"begin"}'], [], [], [], [], ['{"state":"end"}'], ['{"state":"begin"}']],
  )
})

t.test('programs beyond the twenty largest are one', async t => {
  const one = (n: number): string =>
    `<process_info><process_name>/bin/p${n}</process_name><used_memory>${n} MiB</used_memory></process_info>`
  const list = Array.from({ length: 30 }, (_, n) => one(n + 1)).join('')
  const told = short(await read(first.replace(/<processes>[\s\S]*?<\/processes>/, `<processes>${list}</processes>`)))
  const programs = Object.keys(told).filter(key => key.startsWith('hw.gpu.process.count'))
  t.equal(programs.length, 21)
  t.equal(told['hw.gpu.process.count (others)'], 10)
  t.equal(told['hw.gpu.process.memory.usage (others)'], 55 * 1024 ** 2)
  t.equal(told['hw.gpu.process.memory.usage p30'], 30 * 1024 ** 2)
})

t.test('processes without a name to see are counted all the same', async t => {
  const told = short(await read(first.replace('>python3<', '>[Not Found]<').replace('/usr/lib/xorg/Xorg', 'N/A')))
  t.match(told, {
    'hw.gpu.process.count (unknown)': 2,
    'hw.gpu.process.memory.usage (unknown)': 400 * 1024 ** 2,
    'hw.gpu.process.count python3': 1,
  })
})

t.test('words in place of numbers never become numbers', async t => {
  const truth = short(await read(first))
  for (const word of [
    'N/A',
    '[N/A]',
    'Unknown Error',
    'ERR!',
    '[Not Supported]',
    'GPU is lost',
    '',
    '-',
    'nan',
    '1e3',
    '0x10',
  ]) {
    const told = short(
      await read(first.replace(/>[-\d.]+( [^<]*)?<\/(?!uuid|gpu_instance|compute_i|minor)/g, `>${word}</`)),
    )
    const made = Object.keys(told).filter(key => told[key] !== truth[key] && !/process|info/.test(key))
    t.strictSame(made, [], word)
    t.equal(told['hw.gpu.memory.utilization'], undefined)
  }
})

t.test('damaged documents fail, naming the command, or tell only what is true', async t => {
  const random = seeded(t)
  const truth = short(await read(first))
  for (let n = 0; n < 300; n++) {
    const at = random.below(first.length)
    const damaged = [
      first.slice(0, at),
      first.slice(at),
      first.slice(0, at) + first.slice(at + 1 + random.below(200)),
      first.slice(0, at) + String.fromCharCode(random.below(256)) + first.slice(at + 1),
    ][n % 4]!
    try {
      const told = short(await read(damaged))
      // A letter or digit more or less may make another word or number; a cut never may.
      const wrong = Object.keys(told).filter(key => n % 4 < 2 && told[key] !== truth[key])
      t.strictSame(wrong, [], `at ${at}`)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('nvidia-smi'))) t.fail(`at ${at}`, { error })
    }
  }
  for (let n = 0; n < 50; n++) {
    const noise = Buffer.from(Array.from({ length: random.below(500) }, () => random.below(256)))
    await t.rejects(read(noise), /^nvidia-smi/)
  }
})

const corpus = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'host/nvidia-smi')

t.test('the recorded GPUs are read whole', async t => {
  if (!existsSync(corpus)) return t.plan(0, `${corpus} is missing: set FIELDLINE_DATA to the folder that has it`)
  const all: Record<string, Record<string, number>> = {}
  for (const name of readdirSync(corpus)) {
    const xml = readFileSync(join(corpus, name), 'utf8')
    all[name] = short(await read(xml))
    const lost = numbers(xml).filter(
      ({ path, value }) => isTold(path) && !Object.values(all[name]!).some(v => isClose(v, value)),
    )
    t.strictSame(lost, [], `${name}: every number of what is declared is told`)
  }
  t.match(all['a100-sxm4-v12.xml'], {
    'hw.gpu.memory.limit': 81920 * 1024 ** 2,
    'hw.temperature memory': 44,
    'hw.gpu.mig.memory.usage 6/0': 12 * 1024 ** 2,
    'hw.gpu.mig.processors 3/0': 14,
    'hw.errors uncorrected dram': 0,
    'hw.gpu.module.power': undefined,
    'hw.gpu.utilization general': undefined,
  })
  t.match(all['gtx-1070-ti.xml'], {
    'hw.fan.speed_ratio': 1,
    'hw.power': undefined,
    'hw.gpu.memory.usage': 42 * 1024 ** 2,
  })
  t.match(all['rtx-3090-v12.xml'], { 'hw.voltage graphics': undefined, 'hw.gpu.power.limit enforced': 200 })
  t.match(all['rtx-4000-sff-ada-v13.xml'], {
    'hw.power': 8.44,
    'hw.gpu.power.average': 8.81,
    'hw.gpu.throttle.time sw_power_cap': 4251.825415,
    'hw.gpu.temperature.margin': 49,
    'hw.gpu.temperature.margin.limit gpu high.critical': -7,
    'hw.gpu.memory.remap_banks max': 96,
    'hw.gpu.recovery.required': 0,
    'hw.gpu.ecc.enabled': 0,
    'hw.errors corrected dram': undefined,
    'hw.gpu.clock.application graphics': undefined,
    'hw.gpu.process.memory.usage chromium': 183 * 1024 ** 2,
  })
  t.match(all['quadro-p400.xml'], { 'hw.errors corrected total': undefined })
  t.match(all['tesla-t4.xml'], {
    'hw.gpu.memory.retired_pages uncorrected': 0,
    'hw.gpu.repair.pending page_retirement': 0,
  })
})

/** Numbers with a unit in a document, in base units, by the tags around them: another way to read than the source's. */
function numbers(xml: string): { readonly path: string; readonly value: number }[] {
  const factors: Record<string, number> = {
    '%': 0.01,
    MiB: 1024 ** 2,
    W: 1,
    MHz: 1e6,
    C: 1,
    us: 1e-6,
    mV: 1e-3,
    'KB/s': 1e3,
  }
  const found: { path: string; value: number }[] = []
  const open: string[] = []
  for (const [, close, tag, text] of xml.matchAll(/<(\/?)([a-z]\w*)[^>]*>([^<]*)/gi)) {
    if (close) open.pop()
    else open.push(tag!)
    const m = close ? null : /^\s*(-?[\d.]+) (\S+)\s*$/.exec(text!)
    if (m && factors[m[2]!]) found.push({ path: open.join('/'), value: Number(m[1]) * factors[m[2]!]! })
  }
  return found
}

/** Left out on purpose: clocks that could be chosen, and what is free of a size when what is used is told. */
function isTold(path: string): boolean {
  return !/supported_|default_applications|max_customer|deferred|\/(bar1|cc_protected)_memory_usage\/free|mig_device\/.*(free|reserved|bar1)|process_info|0.000/.test(
    path,
  )
}

function isClose(a: number, b: number): boolean {
  // A voltage of 0 is one that is not measured.
  return Math.abs(a - b) <= 1e-9 * Math.abs(b) || b === 0
}
