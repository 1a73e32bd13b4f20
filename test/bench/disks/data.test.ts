import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { epoch, readAll } from '../../../bench/disks/data.ts'
import { labelAt, replay, scoredDays } from '../../../bench/disks/snapshots.ts'
import { day } from '../../../judge/disks/past.ts'

const head =
  'serial_number,model,manufacturer,n_records,size_tb,min_date,max_date,min_hours,max_hours,tstart,tstop,fails,smart_5,smart_188,smart_197'
const rows = [
  'A,M1,ST,100,4.0,2013-04-10,2013-07-19,0,2400,0,1200,0,0.0,,0.0',
  'A,M1,ST,100,4.0,2013-04-10,2013-07-19,0,2400,1200,2400,1,8.0,4295032833.0,16.0',
  'B,M1,ST,100,4.0,2013-04-10,2013-07-19,0,2400,0,2400,0,0.0,,0.0',
]

function file(dir: string, lines: readonly string[]): string {
  const path = join(dir, 'drives.csv.gz')
  writeFileSync(path, gzipSync(`${lines.join('\n')}\n`))
  return path
}

t.test('rows of a drive become readings, each at the time its values began to hold', async t => {
  const [a, b] = await readAll(file(t.testdir(), [head, ...rows]))
  t.match(a, { serial: 'A', vendor: 'ST', from: 0, to: 100, failed: true })
  t.match(b, { serial: 'B', failed: false })
  t.equal(a!.readings[1]!.time, epoch + 50 * day)
  t.strictSame(a!.readings[0]!.counts, { reallocated: 0, pending: 0 })
  t.strictSame(a!.readings[1]!.counts, { reallocated: 8, timeouts: 1, pending: 16 })
})

t.test('nothing dated after a moment is read before it is asked', async t => {
  const [a] = await readAll(file(t.testdir(), [head, ...rows]))
  const seen: number[] = []
  replay(a!, [50, 51], past => seen.push(past.counts.reallocated!.value))
  t.strictSame(seen, [0, 8])
})

t.test('positive within 30 days of failing; nobody knows of one that only left', async t => {
  const [a, b] = await readAll(file(t.testdir(), [head, ...rows]))
  t.strictSame(scoredDays(a!), [60, 90])
  t.strictSame([labelAt(a!, 60), labelAt(a!, 69), labelAt(a!, 70), labelAt(a!, 90)], [0, 0, 1, 1])
  t.strictSame([labelAt(b!, 60), labelAt(b!, 90)], [0, undefined])
})

t.test('a file of another shape is named with what it lacks', async t => {
  await t.rejects(
    readAll(file(t.testdir(), ['date,serial_number,failure', '1,A,0'])),
    /no column manufacturer, max_date/,
  )
})
