import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cpu, parseStat } from '../../../agent/sources/cpu.ts'
import { Place } from '../../../core/shape.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

sourceContract(t, cpu, join(import.meta.dirname, 'cpu'))

const parse = (text: string) => parseStat(Buffer.from(text))
const line = '1 2 3 4 5 6 7 8 0 0\n'
const rest = 'processes 9\nprocs_running 2\nprocs_blocked 1\n'

t.test('interrupts are hardware and software ones together, guests are in user already', async t => {
  const stat = parse(`cpu  ${line}cpu0 ${line}cpu3 1 2 3 4 5 6 7 8\nintr 1 2 3\n${rest}`)
  t.strictSame(stat.all, [1, 2, 3, 4, 5, 13, 8])
  t.strictSame(
    stat.each.map(one => one.cpu),
    [0, 3],
  )
  t.match(stat, { created: 9, running: 2, blocked: 1 })
})

t.test('a file that ends before its last counters is an error: it may lack CPUs too', async t => {
  const missing = /^\/proc\/stat: expected lines of each cpu, processes, procs_running and procs_blocked/
  t.throws(() => parse(`cpu  ${line}cpu0 ${line}`), missing)
  t.throws(() => parse(`cpu  ${line}cpu0 ${line}processes 9\nprocs_running 2\n`), missing)
  t.throws(() => parse(`cpu  ${line}${rest}`), missing)
  t.throws(() => parse(`intr 1\n${rest}`), /expected the line cpu at byte 0/)
})

t.test('a mode whose time went back has no share in this reading, the others have theirs', async t => {
  const { root, host } = machine(t, join(import.meta.dirname, 'cpu/two-cpus'))
  const path = join(root, 'proc/stat')
  const stat = (times: string): void => writeFileSync(path, `cpu  ${times} 0 0 0 0 0\ncpu0 ${times} 0 0 0 0 0\n${rest}`)
  stat('100 0 0 100 50')
  const between = (): void => stat('110 0 0 130 49')
  const made = await readings(cpu, cpu.options.read({}, new Place()), host, 2, between)
  const shares = Object.entries(made[1]!.values).filter(([key]) => key.includes('utilization'))
  t.strictSame(Object.fromEntries(shares), {
    'gauge system.cpu.utilization{cpu.mode=user} 1': 0.25,
    'gauge system.cpu.utilization{cpu.mode=nice} 1': 0,
    'gauge system.cpu.utilization{cpu.mode=system} 1': 0,
    'gauge system.cpu.utilization{cpu.mode=idle} 1': 0.75,
    'gauge system.cpu.utilization{cpu.mode=interrupt} 1': 0,
    'gauge system.cpu.utilization{cpu.mode=steal} 1': 0,
  })
})
