import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parsePtpLine } from '../../../agent/ptp/log.ts'
import { parsePmc } from '../../../agent/ptp/pmc.ts'
import { ptp } from '../../../agent/sources/ptp.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

sourceContract(t, ptp, join(import.meta.dirname, 'ptp'))

const recorded = readFileSync(join(import.meta.dirname, 'ptp/answers/slave.txt'), 'utf8')

t.test('no answer is no status; what follows nobody, or nothing yet, has no offset', async t => {
  t.equal(parsePmc(Buffer.from('sending: GET CURRENT_DATA_SET\n')), undefined)
  const as = (state: string, text = recorded) => parsePmc(Buffer.from(text.replace('SLAVE', state)))
  t.equal(as('SLAVE')?.offset, -332e-9)
  t.equal(as('MASTER')?.offset, undefined)
  t.equal(as('LISTENING')?.pathDelay, undefined)
  t.equal(as('UNCALIBRATED')?.offset, -332e-9)
  t.equal(as('UNCALIBRATED', recorded.replace('2335.0', '0.0'))?.offset, undefined)
})

t.test('a damaged answer is an error that names pmc, or finite values', async t => {
  const random = seeded(t)
  for (let n = 0; n < 3000; n++) {
    const text = random.damage(recorded)
    try {
      const told = parsePmc(Buffer.from(text))
      for (const value of [told?.offset, told?.pathDelay, told?.stepsRemoved])
        t.ok(value === undefined || Number.isFinite(value))
    } catch (error) {
      if (!/pmc: /.test(String(error))) t.fail(String(error))
    }
  }
})

t.test('a line of the log is an offset, or nothing', async t => {
  t.strictSame(parsePtpLine('port 1: LISTENING to UNCALIBRATED on RS_SLAVE'), undefined)
  t.strictSame(parsePtpLine('[1.2] master offset -5 s0 freq +0 path delay 7'), {
    offset: -5e-9,
    adjustment: 0,
    delay: 7e-9,
  })
  t.strictSame(parsePtpLine('phc2sys[3.4]: CLOCK_REALTIME phc offset 31 s2 freq -7'), {
    clock: 'CLOCK_REALTIME',
    offset: 31e-9,
    adjustment: -7e-9,
  })
  const random = seeded(t)
  for (let n = 0; n < 2000; n++) {
    const text = Array.from({ length: 40 }, () =>
      random.pick(['master offset ', 'rms ', '12', ' ', 's2 ', 'freq ', '-', 'max ', 'delay ', '+/- ']),
    ).join('')
    for (const value of Object.values(parsePtpLine(text) ?? {}))
      t.ok(typeof value === 'string' || Number.isFinite(value))
  }
})

t.test('a journal that cannot be read is said once, and the answers go on', async t => {
  const options = ptp.options.read({}, new Place())
  const host = {
    ...fakeHost(t.testdir({ run: { ptp4l: {} } })),
    run: async () => ({ stdout: Buffer.from(recorded), status: 0, stderr: '' }),
    stream: () =>
      (async function* () {
        yield Buffer.alloc(0)
        throw new Error('journalctl: ended with 1')
      })(),
  }
  const made = await readings(ptp, options, host, 3)
  t.ok(made.every(r => r.success && r.values['gauge ptp.offset s'] === -332e-9))
  t.strictSame(made.at(-1)!.said, ['warning source ptp: log: journalctl: ended with 1'])
})
