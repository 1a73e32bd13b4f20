import t from 'tap'
import { Place } from '../../../core/shape.ts'
import { address, nameOf } from '../../../gateway/modbus/address.ts'
import { modbus } from '../../../gateway/sources/modbus.ts'

const tcp = { transport: 'tcp', host: '10.0.0.7', port: 502 }
const serial = { transport: 'rtu', path: '/dev/ttyUSB0', baud: 19_200, parity: 'even', stop: 1 }

t.test('addresses of every transport are taken apart, with the defaults of the specifications', async t => {
  const good: readonly [string, object, number | undefined, string][] = [
    ['modbus-tcp://10.0.0.7', tcp, undefined, '10.0.0.7:502'],
    ['modbus-tcp://10.0.0.7:1502/17', { ...tcp, port: 1502 }, 17, '10.0.0.7:1502'],
    ['modbus-tcp://plc.line-a.example/', { ...tcp, host: 'plc.line-a.example' }, undefined, 'plc.line-a.example:502'],
    ['modbus-tcp://[fe80::1]:502', { ...tcp, host: 'fe80::1' }, undefined, '[fe80::1]:502'],
    ['modbus-rtu-tcp://10.0.0.7:4001/0', { ...tcp, transport: 'rtu-tcp', port: 4001 }, 0, '10.0.0.7:4001'],
    ['modbus-rtu:///dev/ttyUSB0', serial, undefined, '/dev/ttyUSB0'],
    [
      'modbus-rtu:///dev/ttyUSB0?baud=9600&parity=none&stop=2&unit=5',
      { ...serial, baud: 9600, parity: 'none', stop: 2 },
      5,
      '/dev/ttyUSB0',
    ],
  ]
  for (const [url, line, unit, name] of good) {
    const place = new Place()
    const read = address.read(url, place)
    t.strictSame(place.problems, [], url)
    t.strictSame(read, { line, unit }, url)
    t.equal(nameOf(read.line), name)
  }
})

t.test('what is no address is told with what would be one', async t => {
  const bad: readonly [unknown, RegExp][] = [
    ['10.0.0.7', /expected an address such as modbus-tcp:/],
    ['modbus-tcp://10.0.0.7:0', /a port is from 1 to 65535, not 0/],
    ['modbus-tcp://10.0.0.7:70000', /a port is from 1 to 65535/],
    ['modbus-tcp://10.0.0.7/300', /a unit id is from 0 to 255, not 300/],
    ['modbus-rtu://ttyUSB0', /expected an address/],
    ['modbus-rtu:///dev/ttyUSB0?baud=fast', /baud=fast is no baud rate/],
    ['modbus-rtu:///dev/ttyUSB0?parity=mark', /parity is one of none, even, odd, not mark/],
    ['modbus-rtu:///dev/ttyUSB0?stop=3', /stop is 1 or 2/],
    ['modbus-rtu:///dev/ttyUSB0?bauds=9600', /knows baud, parity, stop, unit, not bauds/],
    [undefined, /it is missing/],
  ]
  for (const [url, wanted] of bad) {
    const place = new Place()
    address.read(url, place)
    t.match(place.problems[0]?.message, wanted, String(url))
  }
})

t.test('a source that names two units, or all of them, is a mistake', async t => {
  const registers = [{ name: 'r', table: 'coil', address: 0, type: 'bool' }]
  const mistakes: readonly [object, RegExp][] = [
    [{ url: 'modbus-tcp://10.0.0.7/3', unit_id: 4 }, /the address names unit 3; say it once/],
    [{ url: 'modbus-rtu:///dev/ttyUSB0', unit_id: 0 }, /unit 0 means all units/],
  ]
  for (const [options, wanted] of mistakes) {
    const place = new Place()
    modbus.options.read({ ...options, registers }, place)
    t.match(place.problems[0]?.message, wanted)
  }
})
