import t from 'tap'
import { GpuConditions } from '../../../agent/kernel-log/gpu-conditions.ts'
import { Interpreter, type Report } from '../../../agent/kernel-log/interpreter.ts'
import { xids } from '../../../agent/kernel-log/xid.ts'

const uuid = 'GPU-b850f46d-d5ea-c752-ddf3-c4453e44d3f7'

/** What these lines tell, as the source asks. */
function told(gpus: GpuConditions, ...lines: readonly string[]): readonly Report[] {
  const interpreter = new Interpreter(undefined)
  return lines.flatMap((text, n) => {
    const line = { time: 1000 + n, level: 4, facility: 0, text }
    return [...gpus.line(text, line.time), ...interpreter.take(line).flatMap(report => gpus.take(report))]
  })
}

const over = (reports: readonly Report[]) =>
  reports.filter(r => r.event === 'kernel.gpu.recovered').map(r => [r.attributes['hw.id'], r.fields.xids, r.fields.by])

const xid = (n: number, gpu = '0000:3b:00', detail = 'x'): string =>
  `NVRM: Xid (PCI:${gpu}): ${n}, pid=1, name=a, ${detail}`
const action = (from: string, to: string): string =>
  xid(154, '0000:3b:00', `GPU recovery action changed from 0x1 (${from}) to 0x0 (${to})`)

t.test(
  'a reset that is due is over when the driver says so, resets the GPU, finds it anew or is loaded again',
  async t => {
    const ends: readonly (readonly [string, string])[] = [
      [action('GPU Reset Required', 'None'), 'the driver says that nothing is due'],
      ['nvidia 0000:3b:00.0: reset done', 'it was reset'],
      ['pci 0000:3b:00.0: [10de:20b0] type 00 class 0x030200', 'it was found anew on the bus'],
      ['NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.104.05', 'the driver was loaded again'],
    ]
    for (const [line, by] of ends) {
      const gpus = new GpuConditions(undefined)
      t.strictSame(over(told(gpus, xid(48), xid(94), xid(119), line, line)), [['0000:3b:00', [48, 119], by]], by)
    }
  },
)

t.test('another GPU keeps waiting', async t => {
  const gpus = new GpuConditions(undefined)
  told(gpus, xid(48), xid(48, '0000:86:00'))
  t.strictSame(over(told(gpus, 'nvidia 0000:86:00.0: reset done')), [['0000:86:00', [48], 'it was reset']])
  t.strictSame(over(gpus.booted(5)), [['0000:3b:00', [48], 'the machine started again']])
})

t.test('a fault of an application is no condition', async t => {
  const gpus = new GpuConditions(undefined)
  told(gpus, xid(13), xid(31), xid(43), xid(45), xid(94))
  t.strictSame(gpus.booted(5), [])
})

t.test('what needs a reboot is not over by loading the driver again', async t => {
  const gpus = new GpuConditions(undefined)
  told(gpus, xid(79), xid(119))
  t.strictSame(over(told(gpus, 'NVRM: loading NVIDIA UNIX x86_64 Kernel Module')), [])
  t.strictSame(over(gpus.booted(5)), [['0000:3b:00', [79, 119], 'the machine started again']])
})

t.test('a GPU to be replaced waits until another one is in its place, over restarts of agent and machine', async t => {
  const before = new GpuConditions(undefined)
  told(before, `NVRM: GPU at PCI:0000:3b:00: ${uuid}`, xid(64))
  const gpus = new GpuConditions(JSON.parse(JSON.stringify(before.save())))
  t.strictSame(gpus.booted(5), [])
  t.strictSame(told(gpus, `NVRM: GPU at PCI:0000:3b:00: ${uuid}`), [])
  const other = `NVRM: GPU at 00000000:3B:00.0: ${uuid.replace('b8', 'c9')}`
  t.strictSame(over(told(gpus, other)), [['0000:3b:00', [64], 'it was replaced']])
})

t.test('the UUID that the driver told goes along', async t => {
  const [report] = told(new GpuConditions(undefined), `NVRM: GPU at PCI:0000:3b:00: ${uuid}`, xid(31, '0000:3B:00'))
  t.match(report, { attributes: { 'hw.id': '0000:3b:00' }, fields: { uuid } })
})

t.test('what is kept is bounded', async t => {
  const gpus = new GpuConditions(undefined)
  for (let n = 0; n < 2000; n++) {
    const gpu = `${n.toString(16).padStart(4, '0')}:01:00`
    told(gpus, `NVRM: GPU at PCI:${gpu}: ${uuid}`, xid(48, gpu))
  }
  t.ok(JSON.stringify(gpus.save()).length < 100_000)
})

t.test('the catalogue has the numbers that matter, each with a meaning', async t => {
  for (const n of [13, 31, 32, 38, 43, 45, 48, 61, 62, 63, 64, 68, 69, 74, 79, 92, 94, 95, 109, 110, 119, 120, 121])
    t.ok(xids.get(n), `${n}`)
  for (let n = 122; n <= 172; n++) t.ok(xids.get(n)?.meaning, `${n}`)
})
