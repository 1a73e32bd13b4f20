import t from 'tap'
import { begin, observe } from '../../../judge/disks/past.ts'
import { noon } from '../ingest/envelopes.ts'
import { day, dying, fleetIn, identity, samplesOf, sound } from './drives.ts'

t.test('a drive is scored once a day and at once when its damage grew; its score is a series', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 4; n += 0.25) await f.report('store-1', n, { 'wwn-1': { smart: sound } })
  t.strictSame(f.scores('store-1', 'wwn-1'), [0, 1, 2, 3])
  await f.report('store-1', 4.1, { 'wwn-1': { smart: { ...sound, 5: 8 } } })
  await f.report('store-1', 4.2, { 'wwn-1': { smart: { ...sound, 5: 16 } } })
  await f.report('store-1', 4.3, { 'wwn-1': { smart: { ...sound, 5: 16 } } })
  t.strictSame(f.scores('store-1', 'wwn-1'), [0, 1, 2, 3, 4.1, 4.2])
  t.match(f.drive('wwn-1').past, { hours: null, terabytes: 4, medium: 'spinning' })
  t.equal(f.drive('wwn-1').past.counts.reallocated!.value, 16, 'not the raw one')
  t.strictSame(f.findings(), [])
  await f.collector.stop()
})

t.test('a failing drive is a finding that grows graver, and ends when it has been calm for a week', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 40; n++) {
    await f.report('store-1', n, { 'wwn-1': { smart: dying(n, 30) }, 'wwn-2': { smart: dying(n, 99) } })
  }
  const [finding] = f.collector.records.findings({ limit: 9 })
  t.match(f.findings(), [/^disk-failing critical store-1 3\d\.0\.\.$/])
  t.match(finding?.message, /^\/dev\/sda ST4000 S-wwn-1: fails within 30 days with a probability of \d+ %/)
  t.match(finding?.evidence, { disk: 'wwn-1', probability: Number, reallocated: 72, reallocated_grown_30d: 72 })
  t.equal(finding?.subject.series?.name, 'hw.physical_disk.failure_probability')
  const last = dying(39, 30)
  let calm = 0
  for (let n = 40; n < 400 && f.collector.records.openCount() > 0; n++) {
    await f.report('store-1', n, { 'wwn-1': { smart: { ...last, 197: 0, 198: 0, 9: 20_000 + 24 * n } } })
    const { assessment } = f.drive('wwn-1')
    const level = assessment?.known ? assessment.level : undefined
    calm = level === 'warning' || level === 'critical' ? 0 : calm + 1
    t.equal(f.collector.records.openCount(), calm >= 7 ? 0 : 1)
  }
  t.equal(f.collector.records.openCount(), 0)
  await f.collector.stop()
})

t.test('a rule of one’s own judges the score as it does any series, over a restart too', async t => {
  const metric = 'hw.physical_disk.failure_probability'
  const rules = [{ type: 'threshold', name: 'likely', metric, above: 0.2, for: '1s' }]
  const f = await fleetIn(t.testdir(), { rules })
  for (let n = 0; n < 45; n++) {
    await f.report('store-1', n, { 'wwn-1': { smart: dying(n, 30) } })
    if (n === 35) await f.restart('crash')
  }
  t.match(f.findings().toSorted(), [/^disk-failing critical/, /^likely warning store-1 3\d\.0\.\.$/])
  await f.collector.stop()
})

t.test('a drive that moves to another host keeps its past, and its finding goes along', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 40; n++) await f.report('store-1', n, { 'wwn-1': { smart: dying(n, 30) } })
  await f.report('store-2', 40, { 'wwn-1': { smart: dying(40, 30), device: '/dev/sdq' } })
  t.match(f.drive('wwn-1').home, { node: 'store-1' }, 'one report may be of a second path')
  await f.report('store-2', 40.01, { 'wwn-1': { smart: dying(40, 30), device: '/dev/sdq' } })
  t.match(f.drive('wwn-1'), { home: { node: 'store-2', device: '/dev/sdq' }, nodes: ['store-2', 'store-1'] })
  t.equal(f.drive('wwn-1').past.counts.reallocated!.first, 0)
  t.match(f.findings(), [
    /^disk-failing critical store-2 3\d\.0\.\.$/,
    /^disk-failing critical store-1 3\d\.0\.\.40\.0$/,
  ])
  t.strictSame(f.scores('store-2', 'wwn-1'), [40.01])
  await f.collector.stop()
})

t.test('two nodes that report one drive see one drive, at one place', async t => {
  const both = await fleetIn(t.testdir())
  for (let n = 0; n < 40; n++) {
    await both.report('store-1', n, { 'wwn-1': { smart: dying(n, 30) } })
    await both.report('store-2', n + 0.001, { 'wwn-1': { smart: dying(n, 30) } })
  }
  t.equal([...both.collector.disks.all()].length, 1)
  t.equal(both.drive('wwn-1').home.node, 'store-1')
  t.equal(both.findings().length, 1)
  const past = begin()
  for (let n = 0; n < 40; n++)
    observe(past, { time: noon + n * day, drive: 'wwn-1', counts: { pending: dying(n, 30)[197]! } })
  t.strictSame(both.drive('wwn-1').past.counts.pending, past.counts.pending)
  await both.collector.stop()
})

t.test('late and repeated reports change nothing', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 5; n++) await f.report('store-1', n, { 'wwn-1': { smart: { ...sound, 5: n } } })
  const before = JSON.stringify(f.drive('wwn-1'))
  await f.send('store-1', samplesOf('wwn-1', noon + 2 * day, { smart: { ...sound, 5: 400 } }))
  await f.send('store-2', samplesOf('wwn-1', noon + 4 * day, { smart: { ...sound, 5: 400 } }))
  t.equal(JSON.stringify(f.drive('wwn-1')), before)
  await f.collector.stop()
})

t.test('several reports in one row are taken in order of time', async t => {
  const [one, other] = [await fleetIn(t.testdir()), await fleetIn(t.testdir())]
  const at = (n: number) => samplesOf('wwn-1', noon + n * day, { smart: dying(n, 2) })
  for (const f of [one, other]) f.wait(10)
  await one.send('store-1', [...at(5), ...at(3), ...at(4)])
  for (const n of [3, 4, 5]) await other.send('store-1', at(n))
  t.strictSame(one.drive('wwn-1').past, other.drive('wwn-1').past)
  for (const f of [one, other]) await f.collector.stop()
})

t.test('a report cut in two is one report', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 4; n++) await f.report('store-1', n, { 'wwn-1': { smart: sound } })
  const cut = samplesOf('wwn-1', noon + 4 * day, { smart: { ...sound, 5: 24, 197: 8 } })
  f.wait(4)
  await f.send('store-1', cut.slice(0, 6))
  await f.send('store-1', cut.slice(6))
  const { counts } = f.drive('wwn-1').past
  t.match(counts, { reallocated: { value: 24, rises: 1 }, pending: { value: 8, rises: 1 }, power_cycles: { rises: 0 } })
  t.equal(f.drive('wwn-1').said.bytes, 4_000_787_030_016)
  await f.collector.stop()
})

t.test('a node whose clock ran ahead is heard again once it is set', async t => {
  const f = await fleetIn(t.testdir())
  await f.report('store-1', 0, { 'wwn-1': { smart: sound } })
  f.wait(1)
  await f.send('store-1', samplesOf('wwn-1', noon + 2 * day, { smart: { ...sound, 5: 8 } }))
  t.equal(f.drive('wwn-1').at, noon + day)
  await f.report('store-1', 1.1, { 'wwn-1': { smart: { ...sound, 5: 16 } } })
  t.equal(f.drive('wwn-1').past.counts.reallocated!.value, 16)
  await f.collector.stop()
})

t.test('a drive replaced or gone has no open finding, and another one begins without its past', async t => {
  const f = await fleetIn(t.testdir())
  const both = (n: number) => ({ 'wwn-1': { smart: dying(n, 30) }, 'wwn-2': { smart: dying(n, 30) } })
  for (let n = 0; n < 40; n++) await f.report('store-1', n, both(n))
  t.equal(f.collector.records.openCount(), 2)
  const from = { id: 'wwn-1', model: 'ST4000', serial: 'S-wwn-1' }
  await f.event('store-1', 40, {
    name: 'hw.physical_disk.replaced',
    attributes: identity('wwn-3'),
    body: { from, to: {} },
  })
  t.equal(f.collector.records.openCount(), 1)
  await f.event('store-9', 40, { name: 'hw.physical_disk.vanished', attributes: identity('wwn-2'), body: {} })
  t.equal(f.collector.records.openCount(), 1, 'another node has no say')
  await f.event('store-1', 40, { name: 'hw.physical_disk.vanished', attributes: identity('wwn-2'), body: {} })
  t.equal(f.collector.records.openCount(), 0)
  t.equal(f.drive('wwn-2').home.gone, noon + 40 * day)
  await f.report('store-1', 41, { 'wwn-3': { smart: { ...sound, 5: 80 } } })
  t.equal(f.drive('wwn-3').past.counts.reallocated!.rises, 0)
  await f.report('store-2', 41, { 'wwn-2': { smart: dying(41, 30) } })
  t.match(f.drive('wwn-2').home, { node: 'store-2', gone: null }, 'where it comes back it is at once')
  t.equal(f.collector.records.openCount(), 1)
  await f.collector.stop()
})

t.test('what is not heard of for a week has no open finding; after a year it begins anew', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 40; n++) await f.report('store-1', n, { 'wwn-1': { smart: dying(n, 30) } })
  f.wait(46)
  t.equal(f.collector.records.openCount(), 1)
  f.wait(46.1)
  t.equal(f.collector.records.openCount(), 0)
  await f.report('store-1', 405, { 'wwn-1': { smart: { ...dying(60, 30) } } })
  const { past } = f.drive('wwn-1')
  t.match(past, { since: noon + 405 * day, counts: { reallocated: { value: 240, first: 240, rises: 0 } } })
  t.equal(f.collector.records.openCount(), 0)
  await f.collector.stop()
})

t.test('a drive long gone is forgotten, in the file too', async t => {
  const f = await fleetIn(t.testdir())
  await f.report('store-1', 0, { 'wwn-1': { smart: sound }, 'wwn-2': { smart: sound } })
  await f.report('store-1', 80, { 'wwn-2': { smart: sound } })
  f.wait(89)
  t.equal([...f.collector.disks.all()].length, 2)
  f.wait(91)
  t.strictSame(
    [...f.collector.disks.all()].map(k => k.drive.id),
    ['wwn-2'],
  )
  await f.restart('stop')
  t.strictSame(
    [...f.collector.disks.all()].map(k => k.drive.id),
    ['wwn-2'],
  )
  await f.collector.stop()
})

t.test('a restart forgets nothing, and a crash comes to the same', async t => {
  const folders = [t.testdir({ a: {}, b: {}, c: {} })].flatMap(f => [`${f}/a`, `${f}/b`, `${f}/c`])
  const ends = await Promise.all(
    ([undefined, 'stop', 'crash'] as const).map(async (how, at) => {
      const f = await fleetIn(folders[at]!)
      for (let n = 0; n <= 45; n++) {
        const node = n < 36 ? 'store-1' : 'store-2'
        await f.report(node, n, { 'wwn-1': { smart: dying(n, 30) }, 'wwn-2': { smart: dying(n, 99), used: n / 1000 } })
        // After that nothing but the time goes on.
        if (n === 45) f.collector.intake.flush()
        await f.report(node, n + 0.3, {
          'wwn-1': { smart: dying(n, 30) },
          'wwn-2': { smart: dying(n, 99), used: n / 1000 },
        })
        if (n % 7 === 3) f.collector.intake.flush()
        if (how !== undefined && n % 5 === 0) await f.restart(how)
      }
      // As it is kept: what is undefined is absent.
      const drives = ['wwn-1', 'wwn-2'].map(id => JSON.parse(JSON.stringify(f.drive(id))))
      const scores = ['store-1', 'store-2'].flatMap(node => f.scores(node, 'wwn-1'))
      const told = f.collector.records.findings({ limit: 9 })
      await f.collector.stop()
      return { drives, scores, told }
    }),
  )
  t.equal(ends[0]!.told.length, 2)
  t.strictSame(ends[1], ends[0], 'stopped and started')
  t.strictSame(ends[2], ends[0], 'crashed and replayed')
})

t.test('a state that damage made unreadable begins anew, and its finding is closed', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 40; n++) await f.report('store-1', n, { 'wwn-1': { smart: dying(n, 30) } })
  f.collector.intake.flush()
  f.collector.history.db.exec('UPDATE disk SET state = substr(state, 9)')
  await f.restart('crash')
  t.equal([...f.collector.disks.all()].length, 0)
  t.equal(f.collector.records.openCount(), 0)
  await f.collector.stop()
})

t.test('flash near the end of its endurance is a finding, with a date', async t => {
  const f = await fleetIn(t.testdir())
  for (let n = 0; n < 120; n++) {
    await f.report('store-1', n, { 'nvme-1': { type: 'SSD', used: Math.floor(40 + n / 2) / 100 } })
  }
  t.match(f.drive('nvme-1').assessment, { known: false, sentence: /it is flash/ })
  t.match(f.findings(), [/^disk-worn warning store-1 /])
  t.match(f.collector.records.findings({ limit: 1 }), [
    { message: /99 % of its endurance is used; worn out about 2026-\d\d-\d\d/, evidence: { used: 0.99 } },
  ])
  await f.collector.stop()
})

t.test('what a drive says of itself is told as it says it, for as long', async t => {
  const f = await fleetIn(t.testdir())
  const nvme = (spare: number, media: number, temperature: number) => ({
    'nvme-1': {
      type: 'SSD' as const,
      more: [
        ['hw.physical_disk.spare', {}, spare] as const,
        ['hw.physical_disk.spare.limit', {}, 0.1] as const,
        ['hw.errors', { 'error.type': 'media' }, media, 'counter'] as const,
        ['hw.physical_disk.warning', { 'hw.physical_disk.warning': 'temperature' }, temperature] as const,
      ],
    },
  })
  const told = () => f.collector.records.findings({ limit: 9, open: true }).map(r => `${r.severity} ${r.message}`)
  await f.report('store-1', 0, nvme(1, 5, 0))
  t.strictSame(told(), [])
  await f.report('store-1', 1, nvme(1, 7, 0))
  t.match(told(), [/^warning .*: errors of its media grew from 5 to 7$/])
  await f.report('store-1', 2, nvme(0.08, 7, 1))
  t.match(told(), [
    /^critical .*its spare capacity is 8 %, below its threshold of 10 %; its temperature is beyond a threshold/,
  ])
  await f.report('store-1', 40, nvme(1, 7, 0))
  t.strictSame(told(), [])
  await f.collector.stop()
})

t.test(
  'SAS drives are scored by their defects and uncorrected errors, virtual ones are told apart by their hosts',
  async t => {
    const f = await fleetIn(t.testdir())
    const sas = (grown: number, errors: number) => ({
      'wwn-5': {
        more: [
          ['hw.physical_disk.defects', { 'hw.physical_disk.defect': 'grown' }, grown] as const,
          ['hw.errors', { 'error.type': 'uncorrected', 'disk.io.direction': 'read' }, errors, 'counter'] as const,
          ['hw.errors', { 'error.type': 'uncorrected', 'disk.io.direction': 'write' }, 1, 'counter'] as const,
          ['hw.physical_disk.power_on_time', {}, 7_200_000, 'counter'] as const,
        ],
      },
    })
    await f.report('store-1', 0, sas(3, 4))
    t.match(f.drive('wwn-5'), {
      assessment: { known: true },
      past: { hours: 2000, counts: { reallocated: { value: 3 }, uncorrected: { value: 5 } } },
    })
    const { 'hw.serial_number': _, ...nameless } = identity('ata-QEMU_HARDDISK_QM00001')
    for (const node of ['vm-1', 'vm-2']) {
      const series = {
        name: 'hw.physical_disk.size',
        unit: 'By',
        kind: 'gauge',
        attributes: { ...nameless, 'hw.model': 'QEMU HARDDISK', 'hw.serial_number': 'QM00001' },
      } as const
      await f.send(node, [{ series, time: noon, value: 1e10 }])
    }
    const redfish = { ...identity('Disk.Bay.0'), 'server.address': 'bmc-1' }
    await f.send('vm-1', [
      {
        series: { name: 'hw.physical_disk.size', unit: 'By', kind: 'gauge', attributes: redfish },
        time: noon,
        value: 1e10,
      },
    ])
    t.strictSame(
      [...f.collector.disks.all()].map(k => k.drive.id),
      ['wwn-5', 'ata-QEMU_HARDDISK_QM00001@vm-1', 'ata-QEMU_HARDDISK_QM00001@vm-2'],
    )
    await f.collector.stop()
  },
)

t.test('a drive that sleeps keeps what it said, and is not taken for read', async t => {
  const f = await fleetIn(t.testdir())
  await f.report('store-1', 0, { 'wwn-1': { smart: sound } })
  const asleep = samplesOf('wwn-1', noon + 3 * day, {}).slice(0, 1)
  f.wait(3)
  await f.send(
    'store-1',
    asleep.map(s => ({ ...s, value: 0 })),
  )
  t.match(f.drive('wwn-1'), {
    said: { awake: 0, bytes: 4_000_787_030_016 },
    past: { time: noon },
    home: { time: noon + 3 * day },
  })
  await f.collector.stop()
})
