import t from 'tap'
import { Flood } from '../../../agent/kernel-log/flood.ts'
import type { Report } from '../../../agent/kernel-log/interpreter.ts'

const minute = 60_000

function report(time: number, disk = 'sda', fields = {}): Report {
  return {
    event: 'kernel.block.io_error',
    severity: 'error',
    attributes: { 'system.device.name': disk },
    fields,
    time,
    message: `${disk} ${time}`,
  }
}

t.test('the same is told at once, then once a while with its count and the last of its fields', async t => {
  const flood = new Flood(minute, undefined)
  t.match(flood.take(report(1000)), [{ body: { count: 1, message: 'sda 1000' } }])
  for (let n = 1; n <= 500; n++) t.strictSame(flood.take(report(1000 + n, 'sda', { sector: n })), [])
  t.match(flood.take(report(1001, 'sdb')), [{ body: { count: 1 } }], 'another disk')
  t.strictSame(flood.due(minute), [])
  t.match(flood.due(minute + 2000), [{ body: { count: 500, sector: 500, message: 'sda 1500' } }])
  t.strictSame(flood.due(10 * minute), [], 'told')
  t.match(flood.take(report(10 * minute)), [{ body: { count: 1 } }], 'news again')
})

t.test('what is held back outlives the process', async t => {
  const flood = new Flood(minute, undefined)
  flood.take(report(1))
  flood.take(report(2))
  const next = new Flood(minute, JSON.parse(JSON.stringify(flood.save())))
  t.strictSame(next.take(report(3)), [])
  t.match(next.due(2 * minute), [{ body: { count: 2 } }])
})

t.test('a clock put back holds nothing for longer than a while', async t => {
  const flood = new Flood(minute, undefined)
  flood.take(report(1e9))
  flood.take(report(1e9))
  t.match(flood.due(1000), [{ body: { count: 1 } }])
})

t.test('however many devices fail, what is held is bounded and nothing goes uncounted', async t => {
  const flood = new Flood(minute, undefined)
  let told = 0
  const count = (events: readonly { body: unknown }[]): void => {
    for (const { body } of events) told += (body as { count: number }).count
  }
  for (let n = 0; n < 10_000; n++) count(flood.take(report(n % 1000, `disk${n}`)))
  t.ok((flood.save() as unknown[]).length <= 300)
  count(flood.due(5 * minute))
  t.equal(told, 10_000)
})
