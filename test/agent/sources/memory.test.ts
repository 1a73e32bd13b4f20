import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memory, parseMeminfo, parseVmstat } from '../../../agent/sources/memory.ts'
import { Place } from '../../../core/shape.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'memory')
sourceContract(t, memory, folder)

t.test('what a kernel does not tell is left out, and what would be computed from it too', async t => {
  const { root, host } = machine(t, join(folder, 'swap'))
  writeFileSync(join(root, 'proc/meminfo'), 'MemTotal: 100 kB\nSwapTotal: 10 kB\n')
  writeFileSync(join(root, 'proc/vmstat'), 'pgfault 7\n')
  const [reading] = await readings(memory, memory.options.read({}, new Place()), host, 1)
  t.strictSame(reading!.values, { 'gauge system.memory.limit By': 102_400 })
})

t.test('more available than there is makes no negative use', async t => {
  const { root, host } = machine(t, join(folder, 'swap'))
  writeFileSync(join(root, 'proc/meminfo'), 'MemTotal: 100 kB\nMemAvailable: 101 kB\n')
  const [reading] = await readings(memory, memory.options.read({}, new Place()), host, 1)
  t.notMatch(Object.keys(reading!.values).join(), /memory.state=used/)
})

t.test('a file without what every kernel tells is an error that names it', async t => {
  t.throws(() => parseMeminfo(Buffer.from('MemFree: 1 kB\n')), /^\/proc\/meminfo: expected MemTotal at byte 0/)
  t.throws(() => parseMeminfo(Buffer.from('MemTotal: 0 kB\n')), /^\/proc\/meminfo: expected MemTotal/)
  t.throws(() => parseVmstat(Buffer.from('nr_free_pages 1\n')), /^\/proc\/vmstat: expected pgfault at byte 0/)
})
