import { createHmac } from 'node:crypto'
import t from 'tap'
import { readKeys } from '../../../gateway/hl7/pseudonym.ts'

const [a, b] = ['5a'.repeat(32), 'c3'.repeat(40)]
const at = (day: string): number => Date.parse(`${day}T12:00:00Z`)
const day = 86_400_000

t.test('a name is the HMAC-SHA-256 of kind and identifier, with the key’s day before it', async t => {
  const name = readKeys(`2026-11-01 ${a}`, 0).of('patient', '4711', at('2026-11-26'))
  const mac = createHmac('sha256', Buffer.from(a, 'hex')).update('patient\x004711').digest()
  t.equal(name, `20261101-${mac.toString('base64url').slice(0, 20)}`)
  t.not(name, readKeys(`2026-11-01 ${a}`, 0).of('visit', '4711', at('2026-11-26')))
})

t.test('the newest key whose day has come names, and the one before is read through the overlap', async t => {
  const keys = readKeys(`# rotated yearly\n2026-11-20 ${b}\r\n\n2026-11-01 ${a}\n`, 5 * day)
  const ids = (on: string): readonly string[] => keys.all('patient', '4711', at(on)).map(n => n.slice(0, 8))
  t.same(ids('2026-10-31'), [])
  t.equal(keys.of('patient', '4711', at('2026-10-31')), undefined)
  t.same(ids('2026-11-19'), ['20261101'])
  t.same(ids('2026-11-20'), ['20261120', '20261101'])
  t.same(ids('2026-11-24'), ['20261120', '20261101'])
  t.same(ids('2026-11-25'), ['20261120'])
})

t.test('a key file with a mistake is refused by its line and without its content', async t => {
  const refused = (text: string, message: RegExp): void => {
    t.throws(() => readKeys(text, 0), { name: 'Refused', message })
    t.throws(() => readKeys(text, 0), { message: /^(?!.*5a5a)/ })
  }
  refused('', /no key/)
  refused(`2026-11-01 ${a}\n2026-13-01 ${a}`, /line 2/)
  refused(`2026-11-01 ${a.slice(2)}`, /line 1/)
  refused(`${a}`, /line 1/)
  refused(`2026-11-01 ${a}\n2026-11-01 ${b}`, /two keys of the same day/)
})
