import t from 'tap'
import { eventsOf, pair } from '../../../agent/inventory/changes.ts'
import type { Component, ComponentType, Fields } from '../../../agent/inventory/component.ts'
import { parseKept, see } from '../../../agent/inventory/known.ts'

const piece = (type: ComponentType, place: string, fields: Fields): Component => ({ type, place, fields })
const disk = (place: string, serial: string, more: Fields = {}) => piece('physical_disk', place, { serial, ...more })
const told = (before: readonly Component[], now: readonly Component[]): string[] =>
  eventsOf(pair(before, now), 1).map(e => `${e.severity} ${e.name.split('.').at(-1)} ${e.attributes['hw.id']}`)

t.test('disks that swapped their names are the same disks', async t => {
  const before = [disk('sda', 'A'), disk('sdb', 'B')]
  const now = [disk('sda', 'B'), disk('sdb', 'A')]
  t.strictSame(told(before, now), ['info changed sda', 'info changed sdb'])
  t.strictSame(
    pair(before, now).map(({ before, now }) => [before?.fields.serial, now?.fields.serial]),
    [
      ['B', 'B'],
      ['A', 'A'],
    ],
  )
})

t.test('another serial in the same place is a warning, other firmware is news, nothing else is nothing', async t => {
  t.strictSame(told([disk('sda', 'A')], [disk('sda', 'B')]), ['warning changed sda'])
  t.strictSame(told([disk('sda', 'A', { firmware: '1' })], [disk('sda', 'A', { firmware: '2' })]), ['info changed sda'])
  t.strictSame(told([disk('sda', 'A')], [disk('sda', 'A')]), [])
})

t.test('what only root may read comes and goes without being news, and is not forgotten', async t => {
  const open = piece('system', 'system', { model: 'Rack 2000' })
  const whole = piece('system', 'system', { model: 'Rack 2000', serial: '417' })
  t.strictSame(told([open], [whole]), [])
  t.strictSame(told([whole], [open]), [])
  t.strictSame(see([whole], [open], new Set()).components, [whole])
})

t.test('a number that many pieces share identifies none', async t => {
  const twin = (place: string): Component => piece('memory', place, { serial: '12345678' })
  t.strictSame(told([twin('A1'), twin('A2')], [twin('A1'), twin('A2')]), [])
  t.strictSame(told([twin('A1'), twin('A2')], [twin('A1')]), ['warning removed A2'])
})

t.test('what could not be read this time stays as it was', async t => {
  const known = [disk('sda', 'A'), piece('memory', 'A1', { serial: '7' })]
  const { components, changes } = see(known, [], new Set(['memory', 'physical_disk']))
  t.strictSame(changes, [])
  t.equal(components.length, 2)
})

t.test('what was kept and cannot be read counts as nothing', async t => {
  const known = [disk('sda', 'A', { size: 7 })]
  t.strictSame(parseKept(JSON.stringify(known)), known)
  for (const text of [undefined, '', '{}', '[7]', '[{"type":"disc","place":"sda","fields":{}}]', '[{"type":"gpu"}]']) {
    t.equal(parseKept(text), undefined)
  }
})
