import t from 'tap'
import { isZone } from '../../../core/time-zone.ts'
import { correction, readTime } from '../../../gateway/hl7/time.ts'

const iso = (text: string, zone: number | string = 0): string | undefined => {
  const read = readTime(text, zone)
  return read && new Date(read.time).toISOString()
}

t.test('times are read at every precision, with and without an offset', async t => {
  t.equal(iso('2026'), '2026-01-01T00:00:00.000Z')
  t.equal(iso('202611'), '2026-11-01T00:00:00.000Z')
  t.equal(iso('20261126'), '2026-11-26T00:00:00.000Z')
  t.equal(iso('202611261015'), '2026-11-26T10:15:00.000Z')
  t.equal(iso('20261126101530.25+0100'), '2026-11-26T09:15:30.250Z')
  t.equal(iso('20261126101530.8011-0730'), '2026-11-26T17:45:30.801Z')
  t.equal(iso('20261126101530123+0800'), '2026-11-26T02:15:30.123Z', 'milliseconds without their point')
  t.equal(iso('20261126101530', 60), '2026-11-26T09:15:30.000Z')
})

t.test('what is no time is none', async t => {
  for (const bad of [
    '',
    '26',
    '20261301',
    '20260231',
    '2026112624',
    '202611261060',
    '20261126+1500',
    '2026-11-26',
    'now',
  ])
    t.equal(readTime(bad, 0), undefined, bad)
})

t.test('a zone has the offset of the moment, in summer and in winter', async t => {
  t.equal(iso('20260701120000', 'Europe/Berlin'), '2026-07-01T10:00:00.000Z')
  t.equal(iso('20261126120000', 'Europe/Berlin'), '2026-11-26T11:00:00.000Z')
  t.equal(iso('20260329013000', 'Europe/Berlin'), '2026-03-29T00:30:00.000Z', 'just before the clock goes forward')
  t.equal(iso('20260329033000', 'Europe/Berlin'), '2026-03-29T01:30:00.000Z', 'just after')
  t.equal(iso('20261126120000', 'Asia/Kathmandu'), '2026-11-26T06:15:00.000Z')
  t.notOk(isZone('Mars/Olympus'))
})

t.test('a wrong clock is one that runs ahead, or behind anything that could have waited', async t => {
  const bounds = { ahead: 1000, behind: 10_000 }
  t.equal(correction(undefined, 50_000, bounds), 0)
  t.equal(correction(50_900, 50_000, bounds), 0)
  t.equal(correction(52_000, 50_000, bounds), -2000)
  t.equal(correction(41_000, 50_000, bounds), 0, 'it may have waited')
  t.equal(correction(30_000, 50_000, bounds), 20_000)
})
