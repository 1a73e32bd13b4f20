import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nic } from '../../../agent/sources/nic.ts'
import { Place } from '../../../core/shape.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

sourceContract(t, nic, join(import.meta.dirname, 'nic'))

const recorded = join(import.meta.dirname, 'nic/virtual-nic')
const defaults = nic.options.read({}, new Place())
const limits = (values: Readonly<Record<string, number>>): number[] =>
  Object.keys(values).flatMap(key => (key.includes('bandwidth.limit') ? [values[key]!] : []))

t.test('the speed is asked for once a minute and whenever the carrier changed', async t => {
  const { root, host } = machine(t, recorded)
  const eth0 = join(root, 'sys/class/net/eth0')
  writeFileSync(join(eth0, 'speed'), '1000\n')
  let n = 0
  const between = (): void => {
    if (++n === 3) writeFileSync(join(eth0, 'carrier_changes'), '4\n')
  }
  const made = await readings(nic, defaults, host, 10, between)
  t.strictSame(
    made.map(r => limits(r.values)[0]),
    [125e6, undefined, undefined, 125e6, undefined, undefined, undefined, undefined, undefined, 125e6],
  )
})

t.test('an interface that went away and came back is read again', async t => {
  const { root, host } = machine(t, recorded)
  const path = join(root, 'proc/net/dev')
  const line = '  eth9: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n'
  const heading = 'Inter-| Receive | Transmit\n face |bytes |bytes\n'
  let n = 0
  const between = (): void => {
    rmSync(path)
    writeFileSync(path, heading)
    if (++n === 2) appendFileSync(path, line)
  }
  writeFileSync(path, heading + line)
  const made = await readings(nic, defaults, host, 3, between)
  t.strictSame(
    made.map(r => Object.values(r.values)),
    [[1, 2, 3, 4, 5, 6, 7, 8], [], [1, 2, 3, 4, 5, 6, 7, 8]],
  )
})
