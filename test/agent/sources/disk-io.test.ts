import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Devices } from '../../../agent/devices.ts'
import { diskIo, parseDiskstats } from '../../../agent/sources/disk-io.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'disk-io')
sourceContract(t, diskIo, folder)

const defaults = diskIo.options.read({}, new Place())
const line = ' 253       0 dm-0 700 0 5600 410 90 0 720 130 1 400 540 10 0 2048 15 3 7\n'
const lvm = join(folder, 'old-kernel-and-lvm')

t.test(
  'a dm device that was renamed, or whose number another one has now, is another series within a minute',
  async t => {
    const { root, host } = machine(t, lvm)
    const name = join(root, 'sys/block/dm-0/dm/name')
    writeFileSync(join(root, 'proc/diskstats'), line)
    writeFileSync(name, 'vg0-old\n')
    let n = 0
    const between = (): void => {
      if (++n === 2) writeFileSync(name, 'vg0-new\n')
    }
    const made = await readings(diskIo, defaults, host, 8, between)
    const named = made.map(r => /dm\.name=([^,]+),disk/.exec(Object.keys(r.values)[0]!)![1])
    t.strictSame(named.slice(0, 6), Array(6).fill('vg0-old'))
    t.equal(named[7], 'vg0-new')
    t.equal(made.flatMap(r => Object.keys(r.values).filter(k => k.includes('disk.limit'))).length, 2, 'twice in 70 s')
  },
)

t.test('a dm device without a name is told by its number', async t => {
  const { root, host } = machine(t, lvm)
  mkdirSync(join(root, 'sys/block/dm-1'), { recursive: true })
  writeFileSync(join(root, 'proc/diskstats'), line.replace('dm-0', 'dm-1'))
  const [reading] = await readings(diskIo, defaults, host, 1)
  t.match(Object.keys(reading!.values), Array(17).fill(/system\.device\.name=dm-1[,}]/))
})

t.test('lines of 11, 15, 17 and more numbers are read, any other count is an error', async t => {
  for (let count = 0; count < 24; count++) {
    const numbers = Array.from({ length: count }, (_, n) => n + 1).join(' ')
    const disks = new Devices(() => ({ values: new Float64Array(17), told: 0 }))
    const read = (): void => parseDiskstats(Buffer.from(`   8 0 sda ${numbers}\n`), disks)
    if (count !== 11 && count !== 15 && count < 17) t.throws(read, { message: /^\/proc\/diskstats: expected/ })
    else {
      read()
      const [sda] = [...disks.all()]
      t.equal(sda!.told, Math.min(17, count))
      t.equal(sda!.values[10], 11)
    }
  }
})

t.test('no bytes make the parsers hang or throw anything but an error that names the file', async t => {
  const random = seeded(t)
  const whole = Buffer.from(`   8       0 sda 1200 30 96000 5400 800 200 64000 12000 2 9000 17400\n${line}`)
  for (let n = 0; n < 3000; n++) {
    const bytes = Buffer.from(whole.subarray(0, random.below(whole.length + 1)))
    for (let change = random.below(4); change > 0 && bytes.length > 0; change--) {
      bytes[random.below(bytes.length)] = random.below(256)
    }
    const disks = new Devices(() => ({ values: new Float64Array(17), told: 0 }))
    try {
      parseDiskstats(bytes, disks)
      for (const { values } of disks.all()) t.ok(values.every(v => v >= 0 && v < 2 ** 63))
    } catch (error) {
      t.match(error, { message: /^\/proc\/diskstats: expected/ })
    }
  }
})
