import t from 'tap'
import { type Alarm, gradeOf, sound } from '../../../judge/disks/alarm.ts'
import { beginDrive, take } from '../../../judge/disks/drive.ts'
import { factsOf, observeMedia } from '../../../judge/disks/facts.ts'
import { goneFrom, type Home, seenAt } from '../../../judge/disks/home.ts'
import { unpack } from '../../../judge/disks/model.ts'
import { day } from '../../../judge/disks/past.ts'
import { readingOf, type Said } from '../../../judge/disks/report.ts'
import { sayingOf, words } from '../../../judge/disks/saying.ts'
import { weights } from '../../../judge/disks/weights.ts'
import { seeded } from '../../random.ts'

const hour = 3_600_000

t.test('an alarm begins when it is reached, and ends when it was not reached for the hold', async t => {
  t.equal(sound(undefined, 0, undefined, day), undefined)
  let alarm = sound(undefined, 5, 'warning', day)
  t.strictSame(alarm, { since: 5, reached: { warning: 5 } })
  alarm = sound(alarm, 10 * hour, 'critical', day)
  t.strictSame(alarm, { since: 5, reached: { warning: 10 * hour, critical: 10 * hour } })
  alarm = sound(alarm, 20 * hour, 'warning', day)
  t.equal(gradeOf(alarm!, 20 * hour, day), 'critical', 'it becomes less grave as slowly as it ends')
  t.equal(gradeOf(alarm!, 35 * hour, day), 'warning')
  t.equal(sound(alarm, 43 * hour, undefined, day), alarm)
  t.equal(sound(alarm, 44 * hour, undefined, day), undefined)
})

t.test('an alarm that lasts is noted anew a few times in a hold, not with every report', async t => {
  let alarm: Alarm | undefined
  const seen = new Set<Alarm>()
  for (let n = 0; n < 144; n++) {
    alarm = sound(alarm, n * 600_000, 'warning', day)
    seen.add(alarm!)
  }
  t.ok(seen.size <= 9, `${seen.size}`)
})

t.test('a drive stays where it was seen first until only another node tells of it', async t => {
  const home: Home = { node: 'a', device: null, time: 0, others: 0, gone: null }
  for (let n = 1; n < 50; n++) {
    t.notOk(seenAt(home, 'b', n * hour, '/dev/sdb'))
    t.equal(seenAt(home, 'a', n * hour + 1, '/dev/sda'), n === 1, 'its name there is news once')
  }
  t.notOk(seenAt(home, 'b', 50 * hour, '/dev/sdb'))
  t.ok(seenAt(home, 'b', 51 * hour, '/dev/sdb'))
  t.match(home, { node: 'b', device: '/dev/sdb' })
  t.notOk(goneFrom(home, 'a', 52 * hour), 'it was at another node')
  t.notOk(goneFrom(home, 'b', 1), 'what is said is older than what was seen')
  t.ok(goneFrom(home, 'b', 52 * hour))
  t.ok(seenAt(home, 'c', 53 * hour, undefined), 'where it comes back it is at once')
  t.match(home, { node: 'c', device: null, gone: null })
})

t.test('errors of the media are news for a month, and one that was misread is none', async t => {
  let media = observeMedia(null, 7, 0)
  t.strictSame(factsOf({}, media, 0), [])
  media = observeMedia(media, 9, day)
  media = observeMedia(media, 12, 5 * day)
  t.match(factsOf({}, media, 6 * day), [{ severity: 'warning', words: /grew from 7 to 12/ }])
  t.strictSame(factsOf({}, media, 36 * day), [])
  media = observeMedia(observeMedia(media, 0, 40 * day), 12, 41 * day)
  t.strictSame(factsOf({}, media, 42 * day), [])
})

t.test('what a drive says of itself comes in the order of its gravity', async t => {
  const said: Said = { degraded: 1, warns_temperature: 1, warns_read_only: 1, self_test_failed: 1, failed: 0 }
  t.strictSame(
    factsOf(said, null, 0).map(f => f.words),
    ['it has become read-only', 'its temperature is beyond a threshold', 'its last self-test found a fault'],
  )
  t.match(factsOf({ degraded: 1 }, null, 0), [{ severity: 'warning' }])
  t.match(factsOf({ predicted_failure: 1 }, null, 0), [{ severity: 'critical' }])
})

t.test('a reading is what the model knows, whatever the kind of drive calls it', async t => {
  const at = { time: 1, medium: undefined }
  const sas = { grown_defects: 3, uncorrected_read: 1, uncorrected_write: 2, seconds_on: 7200, bytes: 600_127_266_816 }
  t.match(readingOf('a', { ...at, said: sas }), {
    hours: 2,
    terabytes: 0.6,
    medium: undefined,
    counts: { reallocated: 3, uncorrected: 3 },
  })
  t.match(readingOf('a', { ...at, said: { timeouts: 5 + 3 * 65_536 } }), { counts: { timeouts: 5 } })
  t.match(readingOf('a', { ...at, said: { hours: 9, used: 0.1 } }), { hours: 9, medium: 'flash' })
})

t.test('only what source smart tells of drives is taken, never raw values', async t => {
  const of = (name: string, attributes: Record<string, string | number>) =>
    sayingOf('n', {
      name,
      unit: '1',
      kind: 'gauge',
      attributes: { 'hw.id': 'wwn-1', 'hw.type': 'physical_disk', ...attributes },
    })
  t.match(of('hw.physical_disk.smart', { 'hw.physical_disk.smart_id': 197 }), { drive: 'wwn-1', word: 'pending' })
  t.equal(of('hw.physical_disk.smart.raw', { 'hw.physical_disk.smart_id': 197 }), undefined)
  t.equal(of('hw.physical_disk.smart', { 'hw.physical_disk.smart_id': 1 }), undefined)
  t.equal(of('hw.physical_disk.warning', { 'hw.physical_disk.warning': 'constructor' }), undefined)
  t.equal(of('hw.physical_disk.size', { 'server.address': 'bmc' }), undefined)
  t.equal(of('hw.physical_disk.size', { 'hw.id': 'x'.repeat(300) }), undefined)
  t.match(of('hw.physical_disk.size', { 'hw.id': '/dev/sda sat' }), { drive: '/dev/sda sat@n' })
  t.match(of('hw.physical_disk.size', { 'hw.physical_disk.type': 'SSD' }), { word: 'bytes', medium: 'flash' })
})

t.test('whatever a drive says, its memory stays plain, bounded and of numbers that are ones', async t => {
  const rng = seeded(t)
  const model = unpack(weights)
  const odd = [Number.NaN, -1, 0, 1, 5, 1e300, Number.NEGATIVE_INFINITY, 2 ** 47]
  const drive = beginDrive('wwn-1', 'wwn-1', {}, false, 'a')
  for (let n = 0; n < 3000; n++) {
    const said: Said = Object.fromEntries(words.filter(() => rng() < 0.6).map(word => [word, rng.pick(odd)]))
    const time = rng.pick([n * hour, n * hour, 0, Number.NaN, 1e15])
    const medium = rng.pick(['spinning', undefined, 'flash'] as const)
    take(model, drive, { node: rng.pick(['a', 'a', 'b']), time, received: n * hour, said, medium, device: undefined })
    const probability = drive.assessment?.known ? drive.assessment.probability : 0
    if (!(probability >= 0 && probability <= 1)) t.fail(`${probability}`)
  }
  t.ok(drive.at > 2900 * hour, 'it was not shut out')
  t.ok(JSON.stringify(drive).length < 20_000)
})
