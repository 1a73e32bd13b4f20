import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseInterrupts } from '../../agent/interrupts.ts'
import { bearsDamage } from './damaged.ts'

const parse = (text: string | Buffer) => parseInterrupts('/proc/interrupts', Buffer.from(text))
const folder = join(import.meta.dirname, 'sources/kernel/interrupts/input/proc')
const recordings = ['interrupts', 'softirqs'].map(name => readFileSync(join(folder, name)))
bearsDamage(t, '/proc/interrupts', recordings, parse)

t.test('counts are summed over the CPUs, what has one count for all keeps it, empty lines are nothing', async t => {
  const text = '     CPU0  CPU4\n 16:   3   4   IO-APIC  16-fasteoi   9 ehci\nERR:   5\n\nMIS:    0\n'
  t.strictSame(parse(text), [
    { line: '16', about: 'IO-APIC 16-fasteoi 9 ehci', count: 7 },
    { line: 'ERR', about: '', count: 5 },
    { line: 'MIS', about: '', count: 0 },
  ])
})

t.test('a line without a count, or a heading of anything else than CPUs, is refused', async t => {
  t.throws(() => parse('  CPU0\nLOC:  Local timer interrupts\n'), /^\/proc\/interrupts: expected a number/)
  t.throws(() => parse('eth0 eth1\nLOC: 1 2\n'), /^\/proc\/interrupts: expected a heading of CPUs/)
})
