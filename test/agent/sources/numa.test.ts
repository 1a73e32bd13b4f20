import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { numa, parseNodeMeminfo, parseNumastat } from '../../../agent/sources/numa.ts'
import { Place } from '../../../core/shape.ts'
import { bearsDamage } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'numa')
sourceContract(t, numa, folder)

const recorded = (name: string): readonly Buffer[] => [
  readFileSync(join(folder, 'one-node/input/sys/devices/system/node/node0', name)),
]
bearsDamage(t, 'meminfo', recorded('meminfo'), bytes => parseNodeMeminfo('meminfo', bytes))
bearsDamage(t, 'numastat', recorded('numastat'), bytes => parseNumastat('numastat', bytes))

t.test('more free than there is, or the lines of another node, is refused', async t => {
  const parse = (text: string) => parseNodeMeminfo('meminfo', Buffer.from(text))
  t.throws(() => parse('Node 0 MemTotal: 1 kB\nNode 0 MemFree: 2 kB\n'), /^meminfo: expected MemTotal and MemFree/)
  t.throws(() => parse('Node 0 MemTotal: 1 kB\nNode 1 MemFree: 1 kB\n'), /^meminfo: expected MemTotal and MemFree/)
})

t.test('of too many nodes the first are read, and that is said once', async t => {
  const { root, host } = machine(t, join(folder, 'two-nodes'))
  for (let n = 0; n < 140; n++) {
    const node = join(root, `sys/devices/system/node/node${n}`)
    mkdirSync(node, { recursive: true })
    writeFileSync(join(node, 'numastat'), 'numa_hit 1\n')
  }
  const made = await readings(numa, numa.options.read({}, new Place()), host, 8)
  const nodes = made[7]!.samples.filter(s => s.series.attributes['system.numa.allocation'] === 'hit')
  t.equal(nodes.length, 128)
  t.strictSame(made[7]!.said, ['warning /sys/devices/system/node: only 128 of 140 nodes are read'])
})
