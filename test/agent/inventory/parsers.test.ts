import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseLine, telling } from '../../../agent/inventory/component.ts'
import { parseDriver } from '../../../agent/inventory/ethtool.ts'
import { parseAnswer } from '../../../agent/inventory/modules.ts'
import { resource } from '../../../agent/inventory/resource.ts'
import { cpuParts, parseOsRelease, parseProcessors } from '../../../agent/inventory/system.ts'
import { bearsDamage } from '../damaged.ts'
import { fakeHost } from '../fake-host.ts'

const server = join(import.meta.dirname, '../sources/inventory/server')
const recorded = (name: string): readonly Buffer[] => [readFileSync(join(server, name))]

bearsDamage(t, '/proc/cpuinfo', recorded('input/proc/cpuinfo'), parseProcessors)
bearsDamage(t, 'os-release', recorded('input/etc/os-release'), bytes => parseOsRelease('os-release', bytes))
bearsDamage(t, 'ethtool -i eno1', recorded('ethtool-eno1.txt'), bytes => parseDriver('ethtool -i eno1', bytes))
bearsDamage(t, 'fieldline inventory', recorded('si.json'), parseAnswer)
bearsDamage(t, 'model', recorded('input/sys/block/sda/device/model'), bytes => parseLine('model', bytes))

t.test('what makers write where they wrote nothing is nothing', async t => {
  for (const text of [
    '',
    ' \n',
    'To Be Filled By O.E.M.',
    'Default string',
    'Not Specified',
    '-',
    '00000000',
    'None',
  ]) {
    t.equal(telling(text), undefined, text)
  }
  t.equal(telling('  ST2000NM0008   rev 2 '), 'ST2000NM0008 rev 2')
})

t.test('a memory module that systeminformation guesses from the size of the memory is none', async t => {
  const guess = { size: 25276510208, bank: '', type: '', partNum: '', serialNum: '' }
  const system = { manufacturer: '', model: 'Docker Container', serial: '-' }
  t.strictSame(parseAnswer(Buffer.from(JSON.stringify({ system, memLayout: [guess] }))), [])
})

t.test('a board without DMI is told as systeminformation knows it', async t => {
  const system = {
    manufacturer: 'Raspberry Pi Foundation',
    model: 'Raspberry Pi 4 Model B',
    serial: '10000000a1b2c3d4',
  }
  const fields = { vendor: system.manufacturer, model: system.model, serial: system.serial }
  t.strictSame(parseAnswer(Buffer.from(JSON.stringify({ system, memLayout: [] }))), [
    { type: 'system', place: 'system', fields },
  ])
})

t.test('processors are told by package', async t => {
  const cpu = (n: number, of: number): string =>
    `processor\t: ${n}\nphysical id\t: ${of}\nmodel name\t: Two Sockets\n\n`
  const root = t.testdir({ proc: { cpuinfo: cpu(0, 0) + cpu(1, 1) + cpu(2, 1) } })
  t.strictSame(
    cpuParts(fakeHost(root)).map(({ place, fields }) => [place, fields.threads]),
    [
      ['cpu 0', 1],
      ['cpu 1', 2],
    ],
  )
})

t.test('resource attributes are those of the conventions, and what is not there is left out', async t => {
  const id = '0123456789abcdef0123456789abcdef'
  const found = resource(fakeHost(join(server, 'input')))
  t.match(found, { 'os.type': 'linux', 'os.name': 'Debian GNU/Linux', 'os.version': '12' })
  t.equal(found['host.cpu.model.name'], 'Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz')
  t.notOk('host.id' in found)
  t.equal(resource(fakeHost(t.testdir({ etc: { 'machine-id': `${id}\n` } })))['host.id'], id)
  t.notOk('host.id' in resource(fakeHost(t.testdir({ etc: { 'machine-id': 'uninitialized\n' } }))))
})
