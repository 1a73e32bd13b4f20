import t from 'tap'
import type { SeriesAnswer } from '../../../collector/api/answers.ts'
import { bridged } from '../../../collector/web/columns.ts'
import { factsOf, summaryOf } from '../../../collector/web/event-text.ts'
import { figure, quantity, scaleOf } from '../../../collector/web/format.ts'
import { filtered, groupsOf, headlineOf, maxLines } from '../../../collector/web/groups.ts'
import { keptOf } from '../../../collector/web/kept.ts'
import { hashOf, rangeReaching, routeOf } from '../../../collector/web/route.ts'

function series(name: string, attributes = {}, kind: SeriesAnswer['kind'] = 'gauge'): SeriesAnswer {
  return { id: 1, node: 'n', name, unit: '1', kind, attributes, simulated: false, firstTime: 0, lastTime: 0 }
}

t.test('units are shown as people write them, counters as rates', async t => {
  const cases = [
    ['system.memory.usage', 'By', 'gauge', 3 * 1024 ** 3, '3 GiB'],
    ['system.network.io', 'By', 'counter', 2_621_440, '2.5 MiB/s'],
    ['system.network.packet.count', '{packet}', 'counter', 12, '12 packet/s'],
    ['system.cpu.time', 's', 'counter', 1.25, '125 %'],
    ['system.cpu.utilization', '1', 'gauge', 0.421, '42.1 %'],
    ['press.tank.level', '1', 'gauge', 0.5, '0.5'],
    ['fieldline.source.duration', 's', 'gauge', 0.00032, '320 µs'],
    ['a.delay', 's', 'gauge', 0.043, '43 ms'],
    ['a.delay', 's', 'gauge', 90, '90 s'],
    ['press.oil.temperature', 'Cel', 'gauge', -3.5, '−3.5 °C'],
    ['press.motor.speed', '{rotation}/min', 'gauge', 1480, '1 480 rotation/min'],
    ['net.speed', 'bit/s', 'gauge', 1e9, '1 Gbit/s'],
    ['a.power', 'W', 'gauge', 0, '0 W'],
  ] as const
  for (const [name, unit, kind, value, text] of cases) {
    const shown = quantity(value, scaleOf(name, unit, kind, Math.abs(value))).replace(/\s/g, ' ')
    t.equal(shown, text, `${name} in ${unit}`)
  }
  t.equal(figure(Number.NaN), '–')
  t.equal(figure(1_234_567).replace(/\s/g, ' '), '1 234 567')
  t.equal(figure(0.00001), '0')
})

t.test('empty buckets of a slow series are bridged, a real gap stays one', async t => {
  t.strictSame(bridged([1, null, 2, null, 3]), [1, undefined, 2, undefined, 3])
  t.strictSame(bridged([1, 2, 3, null, null, null, null, 4]), [1, 2, 3, null, null, null, null, 4])
  t.strictSame(bridged([null, 1, null]), [null, 1, null])
  t.strictSame(bridged([]), [])
})

t.test('series stand in groups, one chart a metric, and are told apart by what differs', async t => {
  const groups = groupsOf([
    series('fieldline.source.success', { source: 'press' }),
    series('hl7.connections', { source: 'ward' }),
    series('press.pressure', { source: 'press' }),
    series('system.cpu.load_average.1m'),
    series('system.disk.io', { device: 'sda', host: 'h' }),
    series('system.disk.io', { device: 'sdb', host: 'h' }),
    series('oven.heat'),
  ])
  t.strictSame(
    groups.map(g => g.title ?? g.word),
    ['groupDevices', 'groupLoad', 'groupDisk', 'oven', 'groupSelf'],
  )
  t.strictSame(
    groups[2]!.plots[0]!.lines.map(l => l.label),
    ['sda', 'sdb'],
  )
  const many = Array.from({ length: 30 }, (_, n) => series('system.disk.io', { device: `sd${n}` }))
  t.match(groupsOf(many)[0]!.plots[0], { all: 30, lines: { length: maxLines } })
})

t.test('an event says its message first, then each fact once', async t => {
  const body = { rule: 'hot', holds: true, message: 'oil too hot', values: { 'press.oil{bed=1}': 91 } }
  const alarm = { body, attributes: { rule: 'hot', simulated: true } }
  t.equal(summaryOf(alarm), 'oil too hot')
  t.strictSame(factsOf(alarm), ['rule=hot', 'holds=true', 'press.oil{bed=1}=91'])
  const order = { body: { args: { to: 'lamp.red', value: true }, state: 'done' }, attributes: { state: 'done' } }
  t.equal(summaryOf(order), 'lamp.red = true: done')
  t.strictSame(factsOf(order), ['state=done'])
  t.strictSame(
    [summaryOf({ body: 'no answer' }), summaryOf({ body: {} }), summaryOf({ body: null })],
    ['no answer', '', ''],
  )
  t.strictSame(factsOf({ body: [1, { a: null }], attributes: {} }), ['[1,{"a":null}]'])
})

t.test('a filter wants every word, in name or attributes', async t => {
  const all = [series('system.disk.io', { device: 'sda' }), series('system.network.io', { device: 'eth0' })]
  t.strictSame(filtered(all, 'IO eth'), [all[1]])
  t.strictSame(filtered(all, ' '), all)
  t.strictSame(filtered(all, 'disk eth0'), [])
})

t.test('a node is summed up by its load, or by its first reading', async t => {
  const press = [series('hl7.connections'), series('press.strokes', {}, 'counter'), series('press.pressure')]
  t.equal(headlineOf(press)?.name, 'press.pressure')
  t.equal(headlineOf([...press, series('system.cpu.load_average.1m')])?.name, 'system.cpu.load_average.1m')
  const lamp = { ...series('lamp.red'), unit: '1' }
  const heart = { ...series('mdc.ecg_heart_rate'), unit: '{beat}/min' }
  t.equal(headlineOf([lamp, heart]), heart, 'a number with a unit says more than a state')
  t.equal(headlineOf([lamp]), lamp)
  t.equal(headlineOf([]), undefined)
})

t.test('of what begins and ends open ones are remembered longest', async t => {
  const known = new Map(
    [['open', null] as const, ['late', 9] as const, ['early', 3] as const].map(([id, until]) => [id, { id, until }]),
  )
  const ids = (most: number): string[] => [
    ...keptOf(
      known,
      [
        { id: 'late', until: 10 },
        { id: 'new', until: null },
      ],
      most,
    ).keys(),
  ]
  t.strictSame(ids(4), ['open', 'late', 'early', 'new'])
  t.strictSame(ids(3), ['open', 'late', 'new'])
  t.strictSame(ids(2), ['open', 'new'])
  t.strictSame(ids(1), ['new'])
})

t.test('addresses lead where they say', async t => {
  const node = { at: 'node', node: 'mill-1', range: '24h', filter: 'disk & io' } as const
  t.strictSame(routeOf(hashOf(node)), node)
  t.strictSame(routeOf(hashOf({ at: 'findings', node: 'a' })), { at: 'findings', node: 'a' })
  for (const route of [{ at: 'incidents' }, { at: 'incident', id: '0123456789ab' }] as const)
    t.strictSame(routeOf(hashOf(route)), route)
  t.strictSame(routeOf('#/incident/../x'), { at: 'missing' })
  t.match(routeOf('#/node/mill-1?range=99y'), { at: 'node', range: '5m', filter: '' })
  t.strictSame(routeOf(''), { at: 'fleet' })
  t.strictSame(routeOf('#/node/a/b'), { at: 'missing' })
  t.equal(rangeReaching(0, 1000), '5m')
  t.equal(rangeReaching(0, 290_000), '1h')
  t.equal(rangeReaching(0, 1e12), '7d')
})
