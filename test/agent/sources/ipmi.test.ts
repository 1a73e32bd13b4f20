import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseLimits, parseLog, parseLogInfo, parseReading, parseSensors } from '../../../agent/ipmi/parse.ts'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { ipmi } from '../../../agent/sources/ipmi.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'ipmi')
sourceContract(t, ipmi, folder)

const options = ipmi.options.read({}, new Place())
const recorded = (path: string): string => readFileSync(join(folder, path), 'utf8')
const answer = (stdout: string, status = 0, stderr = '') => ({ stdout: Buffer.from(stdout), status, stderr })

/** A BMC whose log has these entries, `id` counted from 1, and is asked for them. */
function bmc(t: Test) {
  const { host } = machine(t, join(folder, 'many-kinds'))
  const asked: string[] = []
  let entries: string[] = []
  const log = (texts: readonly string[], used = 10): void => {
    entries = texts.map(
      (text, n) => `${(n + 1).toString(16).padStart(4)} | 01/02/25 | 03:04:05 UTC | ${text} | Asserted`,
    )
    const info = `Entries          : ${entries.length}\nPercent Used     : ${used}%\nLast Add Time    : ${texts.join()}\n`
    const list = (lines: readonly string[]) =>
      answer(lines.length === 0 ? 'SEL has no entries\n' : `${lines.join('\n')}\n`)
    host.answers = {
      ...host.answers,
      'ipmitool sel info': answer(info),
      'ipmitool sel elist last 100': list(entries.slice(-100)),
      'ipmitool sel elist': list(entries),
    }
  }
  const run = host.run
  host.run = (command, args, limits) => {
    asked.push(args.join(' '))
    return run(command, args, limits)
  }
  return { host, log, asked }
}

const messages = (made: Awaited<ReturnType<typeof readings>>): string[][] =>
  made.map(r =>
    r.events.filter(e => e.name === 'hw.log.entry').map(e => String((e.body as { message: string }).message)),
  )

const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `Fan #0x01 | text ${n}`)

t.test('entries of the log are told once, over restarts too, also when there are many or it was cleared', async t => {
  const { host, log, asked } = bmc(t)
  const keep: Keep = memoryKeep()
  const reads = (count: number, between?: () => void) => readings(ipmi, options, host, count, between, keep)
  log(many(5))
  t.strictSame(messages(await reads(2)), [[], []], 'what is there at first is no news')
  t.equal(asked.filter(a => a.startsWith('sel elist')).length, 1, 'an unchanged log is not asked for')
  log(many(7))
  t.strictSame(messages(await reads(2)), [['text 5', 'text 6'], []])
  log(many(300))
  t.equal(messages(await reads(1))[0]!.length, 293)
  log(['Fan #0x01 | new 1', 'Fan #0x01 | new 2'])
  t.strictSame(messages(await reads(1)), [['new 1', 'new 2']])
  log([])
  t.strictSame(messages(await reads(1)), [[]])
  log(['Fan #0x01 | after'])
  t.strictSame(messages(await reads(1)), [['after']])
})

t.test('a log that fills up is told of once, and again when there is room', async t => {
  const { host, log } = bmc(t)
  const fills = [50, 90, 95, 85, 79, 79]
  let n = 0
  log(many(1), fills[n++])
  const made = await readings(ipmi, options, host, fills.length, () => log(many(1), fills[n++]))
  t.strictSame(
    made.map(r => r.events.map(e => [e.name, e.body])),
    [
      [],
      [['hw.log.nearly_full', { state: 'begin', used: 0.9 }]],
      [],
      [],
      [['hw.log.nearly_full', { state: 'end', used: 0.79 }]],
      [],
    ],
  )
})

t.test('a log or thresholds that cannot be had do not stop the sensors, and are said once', async t => {
  const { host } = bmc(t)
  host.answers = {
    ...host.answers,
    'ipmitool sel info': answer('', 1, 'Get SEL Info command failed'),
    'ipmitool sensor': answer('', 1, 'busy'),
  }
  const made = await readings(ipmi, options, host, 2)
  t.ok(made.every(r => r.success && Object.values(r.values).includes(168)))
  t.match(made[1]!.said, [/ipmitool sensor: .*ended with 1: busy/, /ipmitool sel: .*Get SEL Info command failed/])
})

t.test('a device that may not be opened says what is needed', async t => {
  const { host } = bmc(t)
  host.answers = { 'ipmitool sdr elist': answer('', 1, 'Could not open device at /dev/ipmi0: Permission denied') }
  const [reading] = await readings(ipmi, options, host, 1)
  t.equal(reading!.success, false)
  t.match(reading!.said[0], /\/dev\/ipmi0: Permission denied \(it must be root, or be let read it\)/)
})

t.test('without a device nothing is asked', async t => {
  const { host, asked } = bmc(t)
  host.list = () => ['null', 'tty']
  t.strictSame((await readings(ipmi, options, host, 1))[0]!.values, {})
  t.strictSame(asked, [])
})

t.test('readings that are none, and thresholds that are not set, have no value', async t => {
  for (const text of [
    'No Reading',
    'Disabled',
    'Not Readable',
    '',
    '0x0180',
    'na',
    '3 unspecified',
    'nan Volts',
    '1e3 RPM',
  ])
    t.equal(parseReading(text), undefined, text)
  t.strictSame(parseReading('-4.50 degrees C'), { value: -4.5, unit: 'degrees C' })
  const line = (...values: string[]): string => `A | 1.000 | degrees C | ok | ${values.join(' | ')}`
  t.strictSame(parseLimits(line('na', '0.000', '5.000', '0.000', '90.000', 'na')).get('A'), [
    ['low.critical', 0],
    ['low.degraded', 5],
    ['high.critical', 90],
  ])
  t.strictSame(parseLimits(line('0.000', '0.000', 'na', 'na', 'na', 'na')).get('A'), [])
  t.equal(parseLimits(`${line('1', '2', '3', '4', '5', '6')}\n${line('1', '2', '3', '4', '5', '6')}`).size, 0)
})

t.test('what earlier versions print of the log is read too', async t => {
  const old = `   1 | 04/20/2013 | 10:11:12 | Temperature #0x30 | Upper Non-critical going high | Asserted | Reading 95 > Threshold 90 degrees C
   a | 04/20/2013 | 10:11:13 | Event Logging Disabled #0x72 | Log area reset/cleared | Asserted\n`
  t.match(parseLog(old), [
    { id: 1, at: '04/20/2013 10:11:12', text: 'Upper Non-critical going high, Reading 95 > Threshold 90 degrees C' },
    { id: 10, sensor: 'Event Logging Disabled #0x72', asserted: true },
  ])
})

t.test(
  'whatever is printed, parsing ends, fails with an error that names the command, or tells what stands there',
  async t => {
    const random = seeded(t)
    const inputs = [
      { text: recorded('many-kinds/sdr.txt'), parse: parseSensors },
      { text: recorded('many-kinds/sensor.txt'), parse: parseLimits },
      { text: recorded('simulated-bmc/info.txt'), parse: parseLogInfo },
      { text: recorded('simulated-bmc/elist-later.txt'), parse: parseLog },
    ]
    for (let n = 0; n < 3000; n++) {
      const { text, parse } = random.pick(inputs)
      const at = random.below(text.length)
      const noise = String.fromCharCode(...Array.from({ length: random.below(20) }, () => random.below(256)))
      const damaged = n % 3 === 0 ? text.slice(0, at) : text.slice(0, at) + noise + text.slice(at + random.below(40))
      try {
        parse(damaged)
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('ipmitool '))) t.fail(damaged, { error })
      }
    }
    t.throws(() => parseSensors('<html>'), /ipmitool sdr elist: expected sensors, got "<html>"/)
    t.throws(() => parseLog('?'), /ipmitool sel elist: expected entries/)
    t.throws(() => parseLogInfo(''), /ipmitool sel info: expected the number of entries/)
  },
)

t.test('a sensor cut in the middle is no sensor', async t => {
  const whole = recorded('many-kinds/sdr.txt')
  const truth = new Set(parseSensors(whole).map(s => JSON.stringify(parseReading(s.reading))))
  for (let at = 0; at < whole.length; at++) {
    const cut = whole.slice(0, at)
    if (cut.trim() === '' || !/\| *\d+\.\d+ *\|/.test(cut)) continue
    const wrong = parseSensors(cut)
      .map(s => JSON.stringify(parseReading(s.reading)))
      .filter(reading => !truth.has(reading))
    t.strictSame(wrong, [], `at ${at}`)
  }
})
