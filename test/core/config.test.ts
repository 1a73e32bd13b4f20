import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { agentConfig } from '../../agent/config.ts'
import { daemonOf } from '../../cli/daemons.ts'
import { collectorConfig } from '../../collector/config.ts'
import { parseConfig, readConfig } from '../../core/config.ts'
import { duration, list, number, object, optional, text } from '../../core/shape.ts'

// Small doubles of the lists: the files here are about the shared rules, not about one source's options.
const interval = optional(duration(100), 10_000)
const sources = [
  { name: 'cpu', options: object({ interval }) },
  { name: 'memory', options: object({ interval }) },
  { name: 'modbus', options: object({ url: text, interval }) },
]
const uplinks = [{ name: 'mqtt', options: object({ brokers: list(text) }) }]
const detectors = [{ name: 'threshold', options: object({ above: number }) }]

function check(file: string, content: string): unknown {
  const config = parseConfig(file, content)
  if (daemonOf(config) === 'collector') return config.check(collectorConfig(detectors))
  return config.check(agentConfig(sources, uplinks))
}

/** What is wrong with a configuration, or nothing. */
function mistakes(file: string, content: string): string {
  try {
    check(file, content)
    return ''
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') return `${error.message}\n`
    throw error
  }
}

const bad = new URL('config/bad/', import.meta.url).pathname

t.test('each kind of mistake is told with its file, line, column and what would be right', async t => {
  for (const name of readdirSync(bad).filter(n => n.endsWith('.yaml'))) {
    const said = mistakes(name, readFileSync(join(bad, name), 'utf8'))
    const expected = join(bad, name.replace('.yaml', '.txt'))
    t.equal(said, readFileSync(expected, 'utf8'), name)
  }
})

t.test('a right configuration is read with its defaults', async t => {
  const { state, node, ...agent } = check('a', 'daemon: agent\nsources: [{ type: cpu }]\nuplinks: []\n') as {
    state: string
    node: string
  }
  t.match(state, /agent$/)
  t.match(node, /./)
  t.strictSame(agent, {
    daemon: 'agent',
    attributes: {},
    root: '/',
    sources: [{ type: 'cpu', name: 'cpu', options: { interval: 10_000 } }],
    uplinks: [],
    spool: {
      max_bytes: 268_435_456,
      max_age: 604_800_000,
      when_full: 'drop-oldest',
      once_age: 604_800_000,
      once_most: 1_000_000,
    },
    backlog_rate: 1_048_576,
    metrics: '127.0.0.1:9464',
    orders: undefined,
    rules: [],
    detectors: [],
    metrics_readings: false,
  })
  t.match(check('c', 'daemon: collector\n'), {
    listen: '127.0.0.1:8180',
    broker: undefined,
    mqtt: undefined,
    detectors: [],
  })
  t.match(check('a', 'daemon: agent\nsources: []\nuplinks: []\nmetrics: off\n'), { metrics: undefined })
})

t.test('anchors and aliases within reason are read', async t => {
  const content =
    'daemon: agent\nsources: [{ type: cpu, interval: &i 1s }, { type: memory, interval: *i }]\nuplinks: []\n'
  t.match(check('a', content), { sources: [{ options: { interval: 1000 } }, { options: { interval: 1000 } }] })
})

t.test('what aliases expand to is bounded in values and in text', async t => {
  const long = `daemon: agent\nattributes: { a: &a "${'x'.repeat(500_000)}", b: *a, c: *a, d: *a }\nsources: []\nuplinks: []\n`
  t.match(mistakes('a', long), /aliases expand to more than 10000 values/)
})

t.test('a file too large, not text, too deep or absent is told so', async t => {
  const folder = t.testdir({ large: '#'.repeat(8 * 1024 ** 2 + 1), binary: Buffer.from([0x61, 0xff, 0xfe]) })
  t.throws(() => readConfig(join(folder, 'large')), /large: larger than 8 MiB/)
  t.throws(() => readConfig(join(folder, 'binary')), {
    message: /binary: cannot be read/,
    cause: /not valid for encoding utf-8/,
  })
  t.throws(() => readConfig(join(folder, 'absent')), { message: /absent: cannot be read/, cause: { code: 'ENOENT' } })
  t.throws(() => readConfig(folder), { cause: { code: 'EISDIR' } })
  t.throws(() => readConfig('/dev/zero'), /larger than 8 MiB/)
  for (const open of ['[', '{a: ', '- ']) t.match(mistakes('deep', open.repeat(50_000)), /nested too deeply/)
  t.match(mistakes('deep', `daemon: agent\na: ${'['.repeat(100)}${']'.repeat(100)}\n`), /nested deeper than 64 levels/)
})

t.test('many keys and many aliases take no more than linear time', async t => {
  const keys = Array.from({ length: 60_000 }, (_, n) => `k${n}: 1`).join('\n')
  t.match(mistakes('keys', `daemon: agent\n${keys}\n`), /and \d+ more/)
  const aliases = '*a, '.repeat(100_000)
  t.match(mistakes('aliases', `daemon: agent\na: &a 1\nb: [${aliases}]\n`), /aliases expand/)
})

t.test('an error never shows a secret of the file', async t => {
  for (const line of [
    'password: hunter2',
    '"api-token": hunter2 [',
    'mqtt: { password: hunter2, tenant: 7 }',
    'x: http://u:hunter2@h [',
  ])
    t.notMatch(mistakes('s', `daemon: collector\n${line}\n`), /hunter2|^$/, line)
})

t.test('a collector without detectors judges by the usual ones, one with an empty list by none', async t => {
  const usual = [{ type: 'threshold', name: 'hot', above: 90 }]
  const detectorsOf = (text: string) =>
    parseConfig('c', text)
      .check(collectorConfig(detectors, usual))
      .detectors.map(d => d.name)
  t.strictSame(detectorsOf('daemon: collector\n'), ['hot'])
  t.strictSame(detectorsOf('daemon: collector\ndetectors: []\n'), [])
})
