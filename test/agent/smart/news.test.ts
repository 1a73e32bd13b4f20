import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { formatMemory, parseMemory } from '../../../agent/smart/memory.ts'
import { smart } from '../../../agent/sources/smart.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { brief, type Disk, machine } from './reports.ts'

const sda = '/dev/sda'

t.test('a counter that was high when first seen is no news, its growth is, with since when it stood still', async t => {
  const { pass, host } = machine(t)
  t.strictSame(brief((await pass({ [sda]: { counters: { 5: 300 } } })).events), [])
  const seen = new Date(host.now() - 10_000).toISOString()
  t.strictSame(brief((await pass({ [sda]: { counters: { 5: 300 } } })).events), [])
  const { events } = await pass({ [sda]: { counters: { 5: 308 } } })
  t.strictSame(brief(events), ['5 Attribute_5_CRC 300 -> 308'])
  const { since } = events[0]!.body as { since: string }
  t.ok(Math.abs(Date.parse(since) - Date.parse(seen)) < 60_000, `${since} is when 300 was first seen`)
})

t.test('growth is known over restarts, renamings and sleep, and told once', async t => {
  const { pass, read } = machine(t)
  await pass({ [sda]: { serial: 'A', counters: { 187: 1 } }, '/dev/sdb': { serial: 'B', counters: { 187: 7 } } })
  const renamed = await pass({
    [sda]: { serial: 'B', counters: { 187: 7 } },
    '/dev/sdb': { serial: 'A', counters: { 187: 1 } },
  })
  t.strictSame(brief(renamed.events), [], 'two drives changed their names')
  t.strictSame(brief((await pass({ [sda]: { asleep: true }, '/dev/sdb': { asleep: true } })).events), [])
  const { events } = await pass({
    [sda]: { serial: 'B', counters: { 187: 9 } },
    '/dev/sdb': { serial: 'A', counters: { 187: 1 } },
  })
  t.strictSame(brief(events), ['187 Attribute_187_CRC 7 -> 9'])
  t.equal(events[0]!.attributes['hw.serial_number'], 'B')
  t.strictSame(await read(), { events: [], values: {}, said: [] }, 'the same pass again')
})

t.test('what was not yet durable is told again after a crash, and only that', async t => {
  const { pass, read, host, write, kept } = machine(t)
  await pass({ [sda]: { counters: { 5: 1 } } })
  const before = kept()
  host.pass(600_000)
  write({ [sda]: { counters: { 5: 2 } } })
  const source = smart.open(smart.options.read({}, new Place()), {
    name: 'smart',
    host,
    say: () => {},
    keep: memoryKeep(before),
  })
  const stop = new AbortController()
  const lost: string[] = []
  await source
    .run(async ({ events }) => {
      lost.push(...brief(events))
      stop.abort()
      throw new Error('the disk is full')
    }, stop.signal)
    .catch(() => undefined)
  t.ok(lost.includes('5 Attribute_5_CRC 1 -> 2'))
  t.equal(kept(), before)
  t.strictSame(brief((await read()).events), ['5 Attribute_5_CRC 1 -> 2'])
  t.strictSame(brief((await read()).events), [])
})

t.test('a counter that was reset counts from there, and one misread once is no news', async t => {
  const { pass } = machine(t)
  const counts = async (n: number) => brief((await pass({ [sda]: { counters: { 199: n } } })).events)
  await counts(40)
  t.strictSame(await counts(0), [], 'misread')
  t.strictSame(await counts(40), [], 'back again')
  t.strictSame(await counts(0), [], 'reset')
  t.strictSame(await counts(3), ['199 Attribute_199_CRC 0 -> 3'])
  t.strictSame(await counts(40), ['199 Attribute_199_CRC 3 -> 40'], 'that it was here long ago does not matter')
})

t.test('sectors that wait come and go: each time they come is news', async t => {
  const { pass } = machine(t)
  const counts = async (n: number) => brief((await pass({ [sda]: { counters: { 197: n } } })).events)
  await counts(8)
  t.strictSame(await counts(0), [])
  t.strictSame(await counts(8), ['197 Attribute_197_CRC 0 -> 8'])
})

t.test('an attribute that is missing for a while, or new, is no growth', async t => {
  const { pass } = machine(t)
  await pass({ [sda]: { counters: { 5: 3 } } })
  t.strictSame(brief((await pass({ [sda]: { counters: { 187: 50 } } })).events), [])
  t.strictSame(brief((await pass({ [sda]: { counters: { 5: 3, 187: 50 } } })).events), [])
  t.strictSame(brief((await pass({ [sda]: { counters: { 5: 4, 187: 51 } } })).events).length, 2)
})

t.test('entries of a log are told once each, in the order they came, the old ones as info', async t => {
  const { pass } = machine(t)
  t.strictSame(brief((await pass({ [sda]: { errors: [2, 1] } })).events), ['info error 1', 'info error 2'])
  t.strictSame(brief((await pass({ [sda]: { errors: [2, 1] } })).events), [])
  t.strictSame(brief((await pass({ [sda]: { errors: [4, 3, 2] } })).events), ['error error 3', 'error error 4'])
  t.strictSame(brief((await pass({ [sda]: {} })).events), [], 'the log could not be read')
  t.strictSame(brief((await pass({ [sda]: { errors: [4, 3, 2] } })).events), [])
  t.strictSame(
    brief((await pass({ [sda]: { errors: [5, 5, 4] } })).events),
    ['error error 5', 'error error 5'],
    'two alike',
  )
  t.strictSame(brief((await pass({ [sda]: { errors: [5, 5, 4] } })).events), [])
})

t.test('a verdict is told when it changes, also of a drive that fails when first seen', async t => {
  const { pass } = machine(t)
  const first = await pass({ [sda]: { passed: false } })
  t.strictSame(brief(first.events), ['state_changed ok -> predicted_failure'])
  t.equal(first.events[0]!.severity, 'critical')
  t.strictSame(brief((await pass({ [sda]: { passed: false } })).events), [])
  t.strictSame(brief((await pass({ [sda]: {} })).events), ['state_changed predicted_failure -> ok'])
})

t.test('a drive that gives no answer is news once, and when it answers again', async t => {
  const { pass } = machine(t)
  await pass({ [sda]: { counters: { 5: 1 } } })
  const silent = await pass({ [sda]: { trouble: 'no answer within 30 s' } })
  t.strictSame(
    silent.events.map(e => e.body),
    [{ answers: false, reason: 'no answer within 30 s' }],
  )
  t.equal(silent.events[0]!.attributes['hw.id'], 'ata-DISK_A')
  t.strictSame(silent.values, {}, 'and has no values')
  t.strictSame(brief((await pass({ [sda]: { trouble: 'no answer within 30 s' } })).events), [])
  const back = await pass({ [sda]: { counters: { 5: 2 } } })
  t.strictSame(brief(back.events), ['unanswered', '5 Attribute_5_CRC 1 -> 2'])
})

t.test('a drive taken out and put back has no news of old errors', async t => {
  const { pass } = machine(t)
  const b: Disk = { serial: 'B' }
  await pass({ [sda]: { counters: { 5: 9 }, errors: [1] }, '/dev/sdb': b })
  t.strictSame(brief((await pass({ '/dev/sdb': b })).events), ['vanished'])
  t.strictSame(brief((await pass({ '/dev/sdb': b })).events), [])
  t.strictSame(brief((await pass({ '/dev/sdc': { counters: { 5: 9 }, errors: [1] }, '/dev/sdb': b })).events), [
    'appeared',
  ])
})

t.test('a device that never says who it is neither appears nor vanishes', async t => {
  const { pass } = machine(t)
  await pass({ [sda]: {} })
  t.strictSame(brief((await pass({ [sda]: {}, '/dev/sdb': { asleep: true } })).events), [])
  t.strictSame(brief((await pass({ [sda]: {}, '/dev/sdb': { trouble: 'No medium found' } })).events), ['unanswered'])
  t.strictSame(brief((await pass({ [sda]: {}, '/dev/sdb': { trouble: 'No medium found' } })).events), [])
  t.strictSame(brief((await pass({ [sda]: {} })).events), [])
})

t.test('a drive that sleeps is known by what the kernel read of it, also when names changed', async t => {
  const { pass, host } = machine(t)
  const [a, b, c]: Disk[] = [{ serial: 'A' }, { serial: 'B' }, { serial: 'C', wwn: 7 }]
  await pass({ [sda]: a!, '/dev/sdb': b!, '/dev/sdc': c! })
  const wwids = { sda: `t10.ATA     ${'DISK'.padEnd(40)}${'B'.padEnd(20)}`, sdc: 'naa.5000001000000007' }
  for (const [name, wwid] of Object.entries(wwids)) {
    const folder = `${host.root}/sys/block/${name}/device`
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/wwid`, `${wwid}\n`)
  }
  const { events, values } = await pass({ [sda]: { asleep: true }, '/dev/sdb': a!, '/dev/sdc': { asleep: true } })
  t.strictSame(events, [])
  const asleep = Object.keys(values).filter(key => key.includes('disk.awake') && values[key] === 0)
  t.match(asleep.toSorted(), [
    /hw\.id=ata-DISK_B,.*hw\.name=\/dev\/sda/,
    /hw\.id=wwn-0x5000001000000007,.*hw\.serial_number=C/,
  ])
})

t.test('two paths to a drive are one drive, and two drives with one WWN are two', async t => {
  const { pass } = machine(t)
  const ids = (values: object) => [
    ...new Set(Object.keys(values).flatMap(key => /hw\.id=([^,]+)/.exec(key)?.[1] ?? [])),
  ]
  const paths = await pass({ [sda]: { wwn: 7 }, '/dev/sdb': { wwn: 7 } })
  t.strictSame(ids(paths.values), ['wwn-0x5000001000000007'])
  const twins = await pass({ [sda]: { wwn: 7 }, '/dev/sdb': { wwn: 7, serial: 'B', counters: { 5: 1 } } })
  t.strictSame(ids(twins.values), ['wwn-0x5000001000000007', 'wwn-0x5000001000000007_B'])
  const renamed = await pass({ [sda]: { wwn: 7, serial: 'B', counters: { 5: 1 } }, '/dev/sdb': { wwn: 7 } })
  t.strictSame(ids(renamed.values).toSorted(), ids(twins.values))
  t.strictSame(renamed.events, [])
})

t.test('old reports are no data, which is said once, and again when they are renewed', async t => {
  const { pass, host, folder } = machine(t)
  await pass({ [sda]: {} })
  const said: string[] = []
  const stop = new AbortController()
  const source = smart.open(smart.options.read({}, new Place()), {
    name: 'smart',
    host,
    say: (severity, text) => void said.push(`${severity} ${text}`),
    keep: memoryKeep(),
  })
  host.pass(3_600_000)
  let readings = 0
  await source.run(async ({ samples }) => {
    t.notOk(samples.some(s => s.series.name.startsWith('hw.')))
    if (++readings === 5) stop.abort()
  }, stop.signal)
  t.equal(said.length, 1)
  t.match(said[0], /warning \/run\/fieldline\/smart: the reports are of 2025-01-01T.*fieldline-smart\.timer/)
  t.ok(folder)
})

t.test('an index with a time that is none is an error that names the file', async t => {
  const { read, folder } = machine(t)
  for (const time of ['1e17', '-1', '"now"', 'null', '0.5']) {
    writeFileSync(`${folder}/index.json`, `{"version":1,"time":${time},"drives":[]}`)
    t.match((await read()).said, [/^error source smart: \/run\/fieldline\/smart\/index\.json: is no index/])
  }
})

t.test('of a folder without an index the reports are read as they are, by their own time', async t => {
  const { pass, host, folder, read } = machine(t, { max_age: '1d' })
  await pass({ [sda]: { counters: { 5: 1 } }, '/dev/sdb': { serial: 'B' } })
  rmSync(`${folder}/index.json`)
  const { values } = await read(memoryKeep())
  t.equal(Object.keys(values).filter(key => key.includes('disk.awake')).length, 2)
  host.pass(2 * 86_400_000)
  const stale = await read(memoryKeep())
  t.strictSame(stale.values, {})
})

t.test('what is remembered comes back whole, and nonsense is as good as nothing', async t => {
  const { pass, kept, forget } = machine(t)
  await pass({ [sda]: { counters: { 5: 1 }, errors: [1] }, '/dev/sdb': { asleep: true } })
  const text = kept()!
  t.equal(formatMemory(parseMemory(text)!), text)
  t.equal(parseMemory(text.replace(/"since":\d+/, '"since":1e300')), undefined, 'a time that is none')
  const random = seeded(t)
  for (let n = 0; n < 300; n++) {
    const at = random.below(text.length)
    const cut =
      n % 2 === 0
        ? text.slice(0, at)
        : text.slice(0, at) + random.pick(['0', '"', '{', 'null', ',']) + text.slice(at + 1)
    forget(cut)
    await t.resolves(pass({ [sda]: { counters: { 5: 1 + n }, errors: [n] } }))
  }
})

t.test('all growth is told, once, whatever happens in between', async t => {
  const random = seeded(t)
  for (let round = 0; round < 20; round++) {
    const { pass } = machine(t)
    const names = ['/dev/sda', '/dev/sdb', '/dev/sdc']
    const truth: Record<string, number> = { A: random.below(1000), B: 0, C: random.below(10) }
    const first = { ...truth }
    const told: Record<string, number> = { A: 0, B: 0, C: 0 }
    const step = async (): Promise<void> => {
      const places = names.toSorted(() => random() - 0.5)
      const disks: Record<string, Disk> = {}
      for (const [n, serial] of Object.keys(truth).entries()) {
        const present = random()
        if (present < 0.15) continue
        disks[places[n]!] = present < 0.3 ? { asleep: true } : { serial, counters: { 5: truth[serial]! } }
      }
      for (const { body, attributes, name } of (await pass(disks)).events) {
        if (!name.endsWith('errors_grown')) continue
        const { from, to } = body as { from: number; to: number }
        told[String(attributes['hw.serial_number'])]! += to - from
      }
    }
    const whole = () =>
      Object.fromEntries(names.map((name, n) => [name, { serial: 'ABC'[n]!, counters: { 5: truth['ABC'[n]!]! } }]))
    await pass(whole())
    for (let n = 0; n < 15; n++) {
      const serial = random.pick(['A', 'B', 'C'])
      if (random() < 0.5) truth[serial]! += random.below(5)
      await step()
    }
    for (const { body, attributes, name } of (await pass(whole())).events) {
      const { from, to } = body as { from: number; to: number }
      if (name.endsWith('errors_grown')) told[String(attributes['hw.serial_number'])]! += to - from
    }
    t.strictSame(told, { A: truth.A! - first.A!, B: truth.B!, C: truth.C! - first.C! })
  }
})
