import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type AmdGpu, parseAmdSmi, parseRocmSmi } from '../../../agent/gpu/amd.ts'
import { amdGpu } from '../../../agent/sources/amd-gpu.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'amd-gpu')
sourceContract(t, amdGpu, folder)

const printed = (path: string): string => readFileSync(join(folder, path), 'utf8')

/** Metric and what tells its series apart -> value. */
function short({ values }: AmdGpu): Record<string, number> {
  return Object.fromEntries(
    values.map(({ metric, attributes, value }) => [[metric.name, ...Object.values(attributes)].join(' '), value]),
  )
}

t.test('a program that fails or prints something else is an error that names it', async t => {
  const { host } = machine(t, join(folder, 'two-cards'))
  const [command] = Object.keys(host.answers)
  const options = amdGpu.options.read({}, new Place())
  for (const [stdout, status, message] of [
    ['', 1, /rocm-smi --showuse: ended with 1: no amdgpu/],
    ['{"card0": {', 0, /rocm-smi: expected JSON/],
    ['ERROR: no GPU', 0, /rocm-smi: expected JSON, got "ERROR: no GPU"/],
  ] as const) {
    host.answers = { [command!]: { stdout: Buffer.from(stdout), status, stderr: 'no amdgpu' } }
    const [reading] = await readings(amdGpu, options, host, 1)
    t.equal(reading!.success, false)
    t.match(reading!.said[0], message)
  }
})

t.test('whatever is printed, it is an error that names the program or values that stand there', async t => {
  const random = seeded(t)
  const inputs = [
    { text: printed('two-cards/first.txt'), parse: parseRocmSmi },
    { text: printed('amd-smi/metric.json'), parse: (text: string) => parseAmdSmi(text, printed('amd-smi/list.json')) },
    { text: printed('amd-smi/list.json'), parse: (text: string) => parseAmdSmi(printed('amd-smi/metric.json'), text) },
  ]
  const words = ['null', '[]', '{}', '"N/A"', '-1', '1e999', '""', ',', '}', '"', '\0']
  for (let n = 0; n < 3000; n++) {
    const { text, parse } = random.pick(inputs)
    const at = random.below(text.length)
    const damaged =
      n % 2 ? text.slice(0, at) : text.slice(0, at) + random.pick(words) + text.slice(at + random.below(9))
    try {
      const bad = parse(damaged).flatMap(gpu => gpu.values.filter(v => !Number.isFinite(v.value)))
      if (bad.length > 0) t.fail(damaged, { bad })
    } catch (error) {
      if (!(error instanceof Error && /^(rocm|amd)-smi/.test(error.message))) t.fail(damaged, { error })
    }
  }
})

const corpus = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'host/rocm-smi')

t.test('the recorded GPUs are read whole', async t => {
  if (!existsSync(corpus)) return t.plan(0, `${corpus} is missing: set FIELDLINE_DATA to the folder that has it`)
  const all: Record<string, readonly AmdGpu[]> = {}
  for (const name of readdirSync(corpus)) {
    const text = readFileSync(join(corpus, name), 'utf8')
    all[name] = parseRocmSmi(text)
    const cards = Object.entries(JSON.parse(text) as Record<string, Record<string, string>>).filter(([c]) =>
      /^card/.test(c),
    )
    t.equal(all[name].length, cards.length, `${name}: every card`)
    t.equal(new Set(all[name].map(gpu => gpu.id)).size, cards.length, `${name}: each with an id of its own`)
    for (const [n, [card, fields]] of cards.entries()) {
      // Clock tables, levels, versions and what is computed of others are not told.
      const measured = Object.entries(fields).filter(
        ([key, value]) =>
          /\((C|W|B|%|mV)\)$|clock speed:|RPM|Replay/.test(key) && !/OverDrive/.test(key) && /\d/.test(value),
      )
      const told = short(all[name][n]!)
      const values = Object.values(told)
      const lost = measured.filter(([key, value]) => {
        const number = Number(value.replace(/[()]|Mhz/g, ''))
        const factor = /Mhz/.test(value) ? 1e6 : /%/.test(key) ? 0.01 : /mV/.test(key) ? 1e-3 : 1
        return !values.some(v => Math.abs(v - number * factor) <= 1e-9 * Math.abs(v))
      })
      t.strictSame(lost, [], `${name} ${card}`)
    }
  }
  t.match(short(all['vega-10-XT.json']![0]!), {
    'hw.temperature memory': 92,
    'hw.fan.speed': 682,
    'hw.fan.speed_ratio': 0.13,
    'hw.gpu.power.limit enforced': 170,
    'hw.gpu.memory.limit': 17163091968,
    'hw.gpu.clock.frequency graphics': 1269e6,
    'hw.gpu.pcie.lanes': 16,
    'hw.gpu.pcie.transfer_rate': 8e9,
  })
  const rx = all['rx6700xt_rocm430.json']![0]!
  t.match(rx, { id: '0000:07:00.0', model: undefined })
  t.notOk(
    Object.keys(short(rx)).some(key => /hbm/.test(key)),
    'N/A is no temperature',
  )
  t.match(all['rx6700xt_rocm612.json']![0], { model: 'Navi 22 [Radeon RX 6700/6700 XT / 6800M]' })
  const dies = all['mi100_rocm571.json']!.concat(all['mi100_rocm602.json']!)
  t.ok(dies.every(gpu => 'hw.power gpu' in short(gpu) || gpu.values.length > 10))
})
