import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseBond } from '../../../agent/bonding/bond.ts'
import { memoryKeep } from '../../../agent/keep.ts'
import { bonding } from '../../../agent/sources/bonding.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { damaged } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'bonding')
sourceContract(t, bonding, folder)

const defaults = bonding.options.read({}, new Place())

t.test('what was told is not told again after a restart, and what changed meanwhile is', async t => {
  const { root, host } = machine(t, join(folder, 'active-backup'))
  const keep = memoryKeep()
  const names = async (): Promise<string[]> => {
    const made = await readings(bonding, defaults, host, 2, undefined, keep)
    return made.flatMap(r => r.events.map(e => e.name))
  }
  t.strictSame(await names(), ['network.bond.degraded'], 'bond2 has a slave that is not up yet')
  t.strictSame(await names(), [])
  const path = join(root, 'proc/net/bonding/bond1')
  writeFileSync(path, readFileSync(path, 'utf8').replace('Active Slave: eno1', 'Active Slave: eno2'))
  t.strictSame(await names(), ['network.bond.changed_over'])
  keep.save('no JSON')
  t.strictSame(await names(), ['network.bond.degraded'], 'what cannot be understood is as good as absent')
})

t.test('a bond that went away is no data, and new again when it comes back', async t => {
  const { root, host } = machine(t, join(folder, 'active-backup'))
  const path = join(root, 'proc/net/bonding/bond2')
  const whole = readFileSync(path)
  let n = 0
  const between = (): void => {
    n++
    if (n === 1) rmSync(path)
    if (n === 8) writeFileSync(path, whole)
  }
  const made = await readings(bonding, defaults, host, 16, between)
  const seen = made.map(r => Object.keys(r.values).some(key => key.includes('bond2')))
  t.strictSame([seen[0], seen[1], seen[15]], [true, false, true])
  t.equal(made.flatMap(r => r.events).length, 2)
})

t.test('whatever bytes come, a bond is what stands there or an error that names the file', async t => {
  const random = seeded(t)
  const whole = readFileSync(join(folder, 'lacp/input/proc/net/bonding/bond0'))
  for (let n = 0; n < 500; n++) {
    try {
      const { slaves } = parseBond('/proc/net/bonding/bond0', damaged(random, whole))
      const numbers = slaves.flatMap(s => [s.failures, s.aggregator ?? 0, ...s.churn.map(c => c.count)])
      if (!numbers.every(v => Number.isInteger(v) && v >= 0)) t.fail(`${numbers}`)
    } catch (error) {
      t.match(String(error), /^Error: \/proc\/net\/bonding\/bond0: expected /)
    }
  }
  t.equal(parseBond('/x', whole).slaves.length, 3)
})

t.test('a file that lost its end is not a bond with fewer slaves', async t => {
  const { root, host } = machine(t, join(folder, 'lacp'))
  const path = join(root, 'proc/net/bonding/bond0')
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.slice(0, text.indexOf('\nSlave Interface: eno3')))
  const [reading] = await readings(bonding, defaults, host, 1)
  t.strictSame(reading!.values, {})
  t.match(reading!.said, [/bond0: expected the slaves eno1 eno2 eno3$/])
})
