import t from 'tap'
import { Interpreter, type Report } from '../../../agent/kernel-log/interpreter.ts'
import { type Random, seeded } from '../../random.ts'
import { examples, silent } from './lines.ts'

/** What lines a millisecond apart tell, and what is left when they have long been read. */
function interpret(lines: readonly string[], interpreter = new Interpreter(undefined)): readonly Report[] {
  const reports = lines.flatMap((text, n) => interpreter.take({ time: 1000 + n, level: 6, facility: 0, text }))
  return [...reports, ...interpreter.settle(100_000)]
}

for (const { lines, event, severity, attributes, fields } of examples) {
  t.test(`${event}: ${lines[0]}`, async t => {
    const reports = interpret(lines)
    t.equal(reports.length, 1, JSON.stringify(reports))
    const [report] = reports
    t.equal(report?.event, event)
    t.equal(report?.severity, severity)
    t.match(report?.attributes, attributes ?? {})
    t.match(report?.fields, fields ?? {})
    t.equal(
      report?.message,
      lines
        .map(line => line.trimEnd())
        .filter(line => report?.message.includes(line))
        .join('\n'),
    )
  })
}

t.test('what a healthy machine says is no event', async t => {
  for (const line of silent) t.strictSame(interpret([line]), [], line)
})

t.test('two devices that fail at once are two reports, each with its own lines', async t => {
  const reports = interpret([
    'ata1.00: exception Emask 0x0 SAct 0x1 SErr 0x0 action 0x0',
    'ata2.00: exception Emask 0x0 SAct 0x1 SErr 0x0 action 0x0',
    'ata1.00: failed command: READ FPDMA QUEUED',
    'ata2.00: failed command: WRITE FPDMA QUEUED',
  ])
  t.strictSame(
    reports.map(r => [r.attributes['hw.id'], r.fields.command]),
    [
      ['ata1.00', 'READ FPDMA QUEUED'],
      ['ata2.00', 'WRITE FPDMA QUEUED'],
    ],
  )
})

t.test('only disks are missed when a USB device goes', async t => {
  const interpreter = new Interpreter(undefined)
  interpret(['usb-storage 2-1:1.0: USB Mass Storage device detected'], interpreter)
  // What it knows outlives the process.
  const next = new Interpreter(JSON.parse(JSON.stringify(interpreter.save())))
  const gone = interpret(['usb 2-1: USB disconnect, device number 5', 'usb 2-2: USB disconnect, device number 6'], next)
  t.strictSame(
    gone.map(r => [r.event, r.attributes['hw.id'], r.fields.state]),
    [['kernel.usb.storage', '2-1', 'gone']],
  )
})

t.test('a report that waits for more lines outlives the process', async t => {
  const [{ lines }] = examples.filter(e => e.event === 'kernel.mce') as [(typeof examples)[number]]
  const interpreter = new Interpreter(undefined)
  t.strictSame(interpreter.take({ time: 1, level: 0, facility: 0, text: lines[0]! }), [])
  const next = new Interpreter(JSON.parse(JSON.stringify(interpreter.save())))
  t.strictSame(interpret(lines.slice(1), next)[0]?.fields, interpret(lines)[0]?.fields)
})

t.test('what no rule knows is told when the kernel calls it an error of a device, or worse', async t => {
  const interpreter = new Interpreter(undefined)
  const line = { time: 1, level: 3, facility: 0, text: 'foo_drv 0000:65:00.0: firmware said no' }
  t.match(interpreter.take({ ...line, device: '+pci:0000:65:00.0' }), [
    {
      event: 'kernel.device_error',
      attributes: { 'hw.id': '0000:65:00.0' },
      fields: { driver: 'foo_drv', what: 'firmware said no' },
    },
  ])
  t.strictSame(interpreter.take(line), [], 'no device')
  t.strictSame(interpreter.take({ ...line, device: '+pci:0000:65:00.0', level: 4 }), [], 'a warning')
  t.strictSame(interpreter.take({ ...line, device: '+pci:0000:65:00.0', facility: 1 }), [], 'not by the kernel')
  t.match(interpreter.take({ ...line, level: 1, text: 'The end is near' }), [
    { event: 'kernel.emergency', severity: 'critical', fields: { what: 'The end is near' } },
  ])
})

t.test('any text is read in no time, and nothing it lets open grows', async t => {
  const random = seeded(t)
  const interpreter = new Interpreter(undefined)
  const lines = examples.flatMap(e => e.lines)
  const began = performance.now()
  for (let n = 0; n < 3000; n++) {
    const reports = interpreter.take({
      time: n * 10,
      level: random.below(8),
      facility: 0,
      text: mutated(random, lines),
    })
    for (const report of reports) t.ok(JSON.stringify(report).length < 20_000)
  }
  for (const filler of ['a', ' ', 'a ', '0000:', '/', 'error ', 'nvme nvme0: ', '[', 'link ']) {
    interpreter.take({ time: 1, level: 6, facility: 0, text: filler.repeat(2048 / filler.length) })
  }
  t.ok(performance.now() - began < 30_000, 'no pattern runs away')
  t.ok(JSON.stringify(interpreter.save()).length < 200_000)
})

function mutated(random: Random, lines: readonly string[]): string {
  const text = random.pick(lines)
  return random.pick([
    random.damage(text),
    text + random.pick(lines),
    text.replace(/\d+/g, () => String(random.below(2 ** 31))),
  ])
}
