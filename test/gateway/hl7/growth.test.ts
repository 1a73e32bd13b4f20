// What is remembered of a message does not hold on to all of it.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { ward } from './ward.ts'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

const [messages, size] = [600, 100_000]
const rest = 'z'.repeat(size)

/** What differs from message to message, at most one thing. */
interface Told {
  readonly code?: string
  readonly unit?: string
  readonly flag?: string
  readonly patient?: string
  readonly bed?: string
  readonly device?: string
  readonly sender?: string
  readonly text?: string
}

function message({ code = '2345-7^Glucose^LN', unit = 'mg/dL', flag = '', text, ...who }: Told): Buffer {
  const { patient = '4711', bed = '2', device = 'M8001', sender = 'CMS' } = who
  const value = text === undefined ? '|NM' : '|ST'
  return Buffer.from(
    [
      `MSH|^~\\&|${sender}|W3|||20261126100000+0000||ORU^R01|1|P|2.6`,
      `PID|||${patient}^^^HOSP^MR`,
      `PV1||I|W3^304^${bed}`,
      'OBR|1|A|A|m|||20261126095959+0000',
      `NTE|1||${rest}`,
      `OBX|1${value}|${code}|1.1.1.1|${text ?? '82'}|${unit}||${flag}|||F|||||||${device}`,
    ].join('\r'),
  )
}

const long = (n: number): string => `number-${n}-of-those-that-differ`

const kinds: Readonly<Record<string, (n: number) => Told>> = {
  codes: n => ({ code: `${long(n)}^x^L` }),
  units: n => ({ unit: long(n) }),
  flags: n => ({ flag: long(n) }),
  patients: n => ({ patient: long(n) }),
  beds: n => ({ bed: long(n) }),
  devices: n => ({ device: long(n) }),
  senders: n => ({ sender: `${long(n)}`, device: '' }),
  texts: n => ({ text: long(n) }),
}

for (const [name, told] of Object.entries(kinds)) {
  t.test(`of messages with ever other ${name} little stays`, async t => {
    const here = ward({ forward: ['PV1-3', 'OBX-18', 'OBX-5'] })
    collect()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < messages; n++) here.take(message(told(n)))
    await here.saved()
    collect()
    const grown = process.memoryUsage().heapUsed - before
    t.ok(grown < (messages * size) / 4, `${Math.round(grown / 1e6)} MB`)
  })
}
