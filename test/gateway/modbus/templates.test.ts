import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import { type Config, parseConfig, readConfig } from '../../../core/config.ts'
import { Place } from '../../../core/shape.ts'
import { gatewayConfig } from '../../../gateway/config.ts'
import { expanded } from '../../../gateway/expand.ts'
import { fillIn, templatesIn } from '../../../gateway/modbus/templates.ts'
import { modbus } from '../../../gateway/sources/modbus.ts'
import { random, seeded } from '../../random.ts'

const bad = new URL('bad/', import.meta.url).pathname
const templates = new URL('bad-templates', import.meta.url).pathname
const shipped = new URL('../../../gateway/modbus/templates/', import.meta.url).pathname

/** Files by their bare names, so that what is expected holds anywhere. */
const read = (file: string): Config => parseConfig(basename(file), readFileSync(file, 'utf8'))

function mistakes(file: string): string {
  const text = readFileSync(file, 'utf8').replace('FOLDER', templates)
  try {
    expanded(parseConfig(basename(file), text), [modbus], read).check(gatewayConfig([modbus], []))
    return ''
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConfigError')) throw error
    return `${error.message}\n`.replaceAll(templates, 'FOLDER').replaceAll(shipped, 'SHIPPED')
  }
}

t.test('each mistake in registers and templates is told with its file, line, column and register', async t => {
  const files = globSync('*.yaml', { cwd: bad })
  t.ok(files.length > 8)
  for (const name of files) {
    const expected = join(bad, name.replace('.yaml', '.txt'))
    t.equal(mistakes(join(bad, name)), readFileSync(expected, 'utf8'), name)
  }
})

/** What a source that uses a template then says. */
function filled(raw: object) {
  const place = new Place()
  const options = modbus.options.read(fillIn({ url: 'modbus-tcp://192.0.2.1', ...raw }, place, readConfig), place)
  t.strictSame(place.problems, [])
  return options
}

t.test('every shipped template is right, names its source and makes registers', async t => {
  const names = templatesIn([shipped])
  t.strictSame(names, ['altivar-320', 'sdm630', 'sunspec'])
  for (const template of names) {
    const { registers, sunspec } = filled({ template })
    t.ok(registers.length > 10 || (sunspec?.models.length ?? 0) > 3, template)
    t.match(readFileSync(join(shipped, `${template}.yaml`), 'utf8'), /^source: >-\n {2}\S.{40}/m, template)
  }
})

t.test('a source changes a template: its names, which registers, and what they mean; its own come first', async t => {
  const { registers } = filled({
    template: 'sdm630',
    parameters: { prefix: 'hall' },
    include: ['hall.voltage', 'hall.frequency', 'hall.*.total'],
    exclude: ['hall.phase*'],
    adjust: { 'hall.voltage': { deadband: '1%', attributes: { feeder: 3 } } },
    registers: [{ name: 'relay', table: 'coil', address: 0, type: 'bool' }],
  })
  t.equal(registers[0]!.name, 'relay')
  const [l1] = registers.filter(r => r.name === 'hall.voltage')
  t.match(l1, { attributes: { phase: 'L1', feeder: 3 }, deadband: { share: 0.01 } })
  t.ok(registers.some(r => r.name === 'hall.power.total'))
  t.notOk(registers.some(r => /phase|current$/.test(r.name)))
})

t.test('a template of the folder goes before a shipped one, and a parameter keeps its kind', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-templates-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(
    join(folder, 'sdm630.yaml'),
    `template: mine
source: my own
parameters: { at: { about: where, default: 7 }, name: { about: who } }
registers: [{ name: "x.\${name}.\${at}", table: coil, address: "\${at}", type: bool }]
`,
  )
  const { registers } = filled({ template: 'sdm630', templates: folder, parameters: { name: 12 } })
  t.match(registers, [{ name: 'x.12.7', address: 7 }])
})

t.test('keys of a template with nothing behind them say nothing', async t => {
  const text = 'template: a\nsource: b\nparameters:\nregisters:\nsunspec:\n'
  const place = new Place()
  const raw = fillIn({ template: 'sdm630' }, place, file => parseConfig(file, text))
  t.strictSame(place.problems, [])
  t.strictSame(raw, { registers: [] })
})

t.test('the daemon, which has no YAML parser, is given registers and no template', async t => {
  const config = parseConfig(
    'g.yaml',
    'daemon: gateway\nuplinks: []\nsources: [{ type: modbus, url: "modbus-tcp://192.0.2.1", template: sdm630 }]',
  )
  const { plain } = expanded(config, [modbus], readConfig)
  const place = new Place()
  gatewayConfig([modbus], []).read(JSON.parse(JSON.stringify(plain)), place)
  t.strictSame(place.problems, [])
  t.notMatch(JSON.stringify(plain), /template/)
  modbus.options.read({ url: 'modbus-tcp://192.0.2.1', template: 'sdm630' }, place)
  t.match(place.problems[0]?.message, /only where a configuration file is read/)
})

t.test('whatever stands in a template, reading it ends with registers or with mistakes', async t => {
  const { seed } = seeded(t)
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-templates-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'torn.yaml'), '')
  const whole = templatesIn([shipped]).map(name => readFileSync(join(shipped, `${name}.yaml`), 'utf8').slice(0, 4000))
  const rounds = Number(process.env.FIELDLINE_FUZZ ?? 150)
  for (let round = 0; round < rounds; round++) {
    const next = random(seed + round)
    const text = [...next.pick(whole)]
    for (let n = next.below(8); n >= 0; n--)
      text.splice(
        next.below(text.length),
        next.below(20),
        next.pick(['${', '}', ':', '[', '{', '&a ', '*a', '- ', '\n', '9e9', '\u0000', '"']),
      )
    const torn = text.join('').slice(0, next() < 0.3 ? next.below(text.length) : undefined)
    try {
      const place = new Place()
      const raw = fillIn({ template: 'torn', templates: folder, url: 'x' }, place, file => parseConfig(file, torn))
      modbus.options.read(raw, place)
    } catch (error) {
      if ((error as Error).name !== 'ConfigError') t.fail(`round ${round}: ${(error as Error).stack}`)
    }
  }
})
