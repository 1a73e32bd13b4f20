import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { infiniband } from '../../../agent/sources/infiniband.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { damaged } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'infiniband')
sourceContract(t, infiniband, folder)

const defaults = infiniband.options.read({}, new Place())
const ports = 'sys/class/infiniband/mlx5_0/ports'
const ids = (values: Readonly<Record<string, number>>): string[] => [
  ...new Set(Object.keys(values).map(key => /hw\.id=([^,]+)/.exec(key)![1]!)),
]

t.test('a port that went away, and one that came, are noticed within a minute', async t => {
  const { root, host } = machine(t, join(folder, 'roce-port'))
  let n = 0
  const between = (): void => {
    if (++n === 1) renameSync(join(root, ports, '1'), join(root, ports, '2'))
  }
  const made = await readings(infiniband, defaults, host, 8, between)
  t.strictSame(ids(made[0]!.values), ['mlx5_0/1'])
  t.strictSame(ids(made[1]!.values), [], 'nothing is made up of files that are gone')
  t.strictSame(ids(made[7]!.values), ['mlx5_0/2'])
})

t.test('of very many ports some are read, and that is said once', async t => {
  const { root, host } = machine(t, join(folder, 'roce-port'))
  for (let n = 1; n <= 70; n++) {
    mkdirSync(join(root, ports, String(n)), { recursive: true })
    writeFileSync(join(root, ports, String(n), 'state'), '4: ACTIVE\n')
  }
  const made = await readings(infiniband, defaults, host, 8)
  t.equal(ids(made[7]!.values).length, 64)
  t.strictSame(made[7]!.said, ['warning infiniband: only 64 of 70 ports are read'])
})

t.test('damaged files are a trouble of their port alone, or leave what is true', async t => {
  const random = seeded(t)
  const { root, host } = machine(t, join(folder, 'roce-port'))
  mkdirSync(join(root, ports, '2'))
  writeFileSync(join(root, ports, '2/state'), '4: ACTIVE\n')
  const rate = Buffer.from('100 Gb/sec (4X EDR)\n')
  for (let n = 0; n < 200; n++) {
    const name = random.pick(['rate', 'state', 'counters/port_rcv_data'])
    writeFileSync(join(root, ports, '1/rate'), rate)
    writeFileSync(join(root, ports, '1', name), damaged(random, name === 'rate' ? rate : Buffer.from('4: ACTIVE\n')))
    const [reading] = await readings(infiniband, defaults, host, 1)
    t.ok(ids(reading!.values).includes('mlx5_0/2'))
    t.ok(Object.values(reading!.values).every(v => Number.isFinite(v) && v >= 0))
    t.ok(reading!.said.every(text => text.includes(`/${name}: expected`)))
    writeFileSync(join(root, ports, '1/state'), '4: ACTIVE\n')
    writeFileSync(join(root, ports, '1/counters/port_rcv_data'), '1000\n')
  }
})
