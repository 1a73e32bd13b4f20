import t from 'tap'
import { Devices } from '../../agent/devices.ts'
import { chooser, patterns } from '../../agent/patterns.ts'
import { Scan } from '../../agent/scan.ts'
import { Place } from '../../core/shape.ts'

const scan = (text: string): Scan => new Scan('/proc/x', Buffer.from(text))

t.test('whole numbers are read between blanks and line ends', async t => {
  const s = scan('  12\t345 \n9007199254740993\n')
  t.equal(s.integer(), 12)
  t.equal(s.integer(), 345)
  s.line()
  t.equal(s.integer(), 2 ** 53, 'rounded to a double')
  s.line()
  t.equal(s.more, false)
})

t.test('what is not a whole number is an error that names the file, the place and what stands there', async t => {
  t.throws(() => scan('12').integer(), { message: '/proc/x: expected a whole number at byte 0, got "12"' })
  t.throws(() => scan('').integer(), { message: '/proc/x: expected a number at byte 0, got the end' })
  t.throws(() => scan(' -1\n').integer(), { message: '/proc/x: expected a number at byte 1, got "-1"' })
  t.throws(() => scan('1.5\n').integer(), { message: '/proc/x: expected a whole number at byte 0, got "1.5"' })
  t.throws(() => scan('\n7\n').integer(), /expected a number at byte 0/, 'a number is not looked for on the next line')
  t.throws(() => scan('18446744073709551615\n').integer(), /expected a number below 2\^63/)
})

t.test('decimals need digits on both sides of the point', async t => {
  t.equal(scan('0.12 ').decimal(), 0.12)
  t.equal(scan('13427.89\n').decimal(), 13427.89)
  for (const wrong of ['1 ', '1. ', '.5 ', '0.1', '0.1.2 ', ''])
    t.throws(() => scan(wrong).decimal(), /expected/, wrong)
})

t.test('hexadecimal numbers have at most so many digits', async t => {
  const s = scan(' 00358fe3 ff \n')
  t.strictSame([s.hex(8), s.hex()], [0x358fe3, 255])
  t.equal(scan('7ffffffffffff000\n').hex(), 2 ** 63 - 4096)
  for (const wrong of ['123456789\n', 'FF\n', '-1\n', '12g\n', '\n', '12', ''])
    t.throws(() => scan(wrong).hex(8), /expected/, wrong)
  t.throws(() => scan('ffffffffffffffff\n').hex(), /expected a number of 16/)
})

t.test('words are stepped over, never a line', async t => {
  const s = scan('  -1 x\t2\n')
  s.word()
  s.word()
  t.equal(s.integer(), 2)
  t.throws(() => s.word(), /expected a word at byte 8/)
})

t.test('the rest of a file can be had as text', async t => {
  const s = scan('12 a b\n')
  s.integer()
  t.equal(s.text(), ' a b\n')
  t.equal(s.more, false)
})

t.test('names end before their stop, on their line', async t => {
  const s = scan('  eth0:12 \n')
  s.blanks()
  t.equal(s.at, 2)
  t.equal(s.until(0x3a), 6)
  t.equal(s.integer(), 12)
  t.throws(() => scan('eth0\n:').until(0x3a), /expected a name/)
  t.throws(() => scan(':').until(0x3a), /expected a name/)
  t.throws(() => scan('eth0').until(0x3a), /expected a name/)
})

t.test('numbers behind words are found in any order, only where a line starts with the word', async t => {
  const text = 'MemTotal: 1 kB\nSwapCached: 2 kB\nCached: 3 kB\nDirty: 4 kB\n'
  const words = (...names: string[]): Buffer[] => names.map(name => Buffer.from(`\n${name}:`))
  t.strictSame(scan(text).after(words('MemTotal', 'Cached', 'Dirty')), [1, 3, 4])
  t.strictSame(scan(text).after(words('Dirty', 'Cached', 'Absent', 'MemTotal')), [4, 3, undefined, 1])
  t.throws(() => scan('MemTotal: x\n').after(words('MemTotal')), /expected a number at byte 10/)
  t.strictSame(scan('').after(words('MemTotal')), [undefined])
})

t.test('a word is stepped over only if it stands there whole', async t => {
  const s = scan('cpu0')
  t.equal(s.takes(Buffer.from('cpu')), true)
  t.equal(s.takes(Buffer.from('00')), false)
  t.equal(s.takes(Buffer.from('0')), true)
  t.equal(s.takes(Buffer.from('0')), false, 'nothing beyond the end')
})

t.test('devices are made once, found in any order and forgotten when they are no longer listed', async t => {
  const made: string[] = []
  const gone: string[] = []
  const make = (name: string): { name: string } => {
    made.push(name)
    return { name }
  }
  const devices = new Devices(make, one => gone.push(one.name))
  const pass = (names: string): string[] => {
    const bytes = Buffer.from(names)
    devices.begin()
    const found = [...names.matchAll(/\S+/g)].map(m => devices.at(bytes, m.index, m.index + m[0].length))
    devices.end()
    return found.map(one => one.name)
  }
  t.strictSame(pass('sda sdb'), ['sda', 'sdb'])
  t.strictSame(pass('sdb sda sdaa'), ['sdb', 'sda', 'sdaa'])
  t.strictSame(made, ['sda', 'sdb', 'sdaa'])
  t.strictSame(gone, [])
  t.strictSame(pass('sda'), ['sda'])
  t.strictSame(gone, ['sdb', 'sdaa'])
  t.strictSame(pass('sdb sda'), ['sdb', 'sda'])
  t.strictSame(made, ['sda', 'sdb', 'sdaa', 'sdb'])
  t.strictSame(
    [...devices.all()].map(one => one.name),
    ['sda', 'sdb'],
  )
})

t.test('a list that could not be read to its end forgets nothing', async t => {
  const gone: string[] = []
  const devices = new Devices(
    name => name,
    name => gone.push(name),
  )
  const bytes = Buffer.from('sda sdb')
  devices.begin()
  devices.at(bytes, 0, 3)
  devices.at(bytes, 4, 7)
  devices.end()
  devices.begin()
  devices.at(bytes, 4, 7)
  devices.begin()
  devices.at(bytes, 0, 3)
  devices.at(bytes, 4, 7)
  devices.end()
  t.strictSame(gone, [])
})

function choose(raw: Record<string, readonly string[]>, usually: readonly string[]): (name: string) => boolean {
  const place = new Place()
  const read = (key: 'include' | 'exclude') => patterns[key].read(raw[key], place.at(key))
  const chosen = chooser({ include: read('include'), exclude: read('exclude') }, usually)
  t.strictSame(place.problems, [])
  return chosen
}

t.test(
  'patterns choose devices: include narrows, exclude takes out, either replaces what is usually left out',
  async t => {
    const names = ['sda', 'sda1', 'nvme0n1', 'loop0', 'a.b', 'axb']
    const chosen = (raw: Record<string, readonly string[]>) => names.filter(choose(raw, ['loop*', 'sd[a-z]*[0-9]']))
    t.strictSame(chosen({}), ['sda', 'nvme0n1', 'a.b', 'axb'])
    t.strictSame(chosen({ include: ['sda?', 'loop*'] }), ['sda1', 'loop0'])
    t.strictSame(chosen({ exclude: ['nvme*', 'a.b'] }), ['sda', 'sda1', 'loop0', 'axb'])
    t.strictSame(chosen({ include: ['sd*'], exclude: ['sda'] }), ['sda1'])
    t.strictSame(chosen({ include: [] }), [])
  },
)

t.test('a pattern that is none is a problem of the configuration', async t => {
  const place = new Place()
  patterns.include.read(['sd[z-a]', 7, ''], place)
  t.equal(place.problems.length, 3)
  t.match(place.problems[0]!.message, /the range in sd\[z-a\] is not one/)
})

t.test('the numbers of a line are read at once, and nothing else is taken for one', async t => {
  const s = scan(' 1 22\t333   4\n5\n')
  t.strictSame(s.integers(4), [1, 22, 333, 4])
  t.strictSame(s.integers(1), [5])
  t.equal(s.more, false)
  t.strictSame(scan('\n').integers(0), [])
  t.strictSame(scan('-1 2\n').signed(2), [-1, 2])
  t.throws(() => scan('1 2').integers(2), { message: '/proc/x: expected the end of a line at byte 0, got "1 2"' })
  t.throws(() => scan('1 2\n').integers(3), /expected 3 numbers at byte 0/)
  for (const wrong of ['-1 2', '1.5', '0x1f', '1e3', '1 two', '9223372036854775808']) {
    t.throws(() => scan(`${wrong}\n`).integers(1), /\/proc\/x: expected/, wrong)
  }
  for (const wrong of ['1-2', '-', '--1', '1.5']) t.throws(() => scan(`${wrong}\n`).signed(1), /expected/, wrong)
})
