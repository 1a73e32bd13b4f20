import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parsePressure, pressure } from '../../../agent/sources/pressure.ts'
import { bearsDamage } from '../damaged.ts'
import { sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'pressure')
sourceContract(t, pressure, folder)

const recordings = ['cpu', 'io', 'irq'].map(resource =>
  readFileSync(join(folder, 'machine-under-load/input/proc/pressure', resource)),
)
bearsDamage(t, '/proc/pressure/io', recordings, bytes => parsePressure('/proc/pressure/io', bytes))

t.test('a line twice, more than all the time, or no line at all is refused', async t => {
  const parse = (text: string) => parsePressure('/proc/pressure/io', Buffer.from(text))
  const line = 'some avg10=0.10 avg60=2.00 avg300=3.85 total=15\n'
  t.strictSame(parse(line), [{ scope: 'some', shares: [0.001, 0.02, 0.0385], total: 15 }])
  t.throws(() => parse(line + line), /^\/proc\/pressure\/io: expected some or full, each once/)
  t.throws(() => parse(line.replace('2.00', '100.01')), /at most 100 percent/)
  t.throws(() => parse(''), /expected a line some or full/)
})
