// Where a reading is put whose message names no bed: where its device stands, and nowhere rather than where it may be wrong.

import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import type { Attributes } from '../../../core/model.ts'
import { received, ward } from './ward.ts'

const minute = 60_000
const [pump, other] = ['PUMP-7^^0012210000000000^EUI-64', 'PUMP-8^^0012210000000001^EUI-64']
const gateway = 'CMS^0080A1FFFE000001^EUI-64'
const [bed1, bed2] = ['PV1||I|W3^304^1', 'PV1||I|W3^304^2']
const patient = (id: string): string => `PID|||${id}^^^HOSP^MR||Weaver^Jolanda`

/** HL7's way to write it, UTC. */
function written(time: number): string {
  return `${new Date(time).toISOString().replace(/[-:T]|\..*$/g, '')}+0000`
}

interface Told {
  readonly time?: number
  readonly sender?: string
  /** Of OBX-18, one an observation. */
  readonly devices?: readonly string[]
  /** PID, PV1 */
  readonly about?: readonly string[]
}

function rates({ time = received, sender = 'CMS', devices = [pump], about = [] }: Told): string {
  return [
    `MSH|^~\\&|${sender}|W3|||${written(time)}||ORU^R01|1|P|2.6`,
    ...about,
    `OBR|1|A|A|monitoring|||${written(time)}`,
    ...devices.map(
      (device, n) =>
        `OBX|${n + 1}|NM|147842^MDC_ECG_HEART_RATE^MDC|${n + 1}.1.1.1|70|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||||||${device}`,
    ),
  ].join('\n')
}

function admission(id: string, visit: string): string {
  const time = written(received - 3600_000)
  return [`MSH|^~\\&|ADT|HOSP|||${time}||ADT^A01|1|P|2.5`, `EVN||${time}`, patient(id), visit].join('\n')
}

/** Two patients, a bed each. */
function admitted(keep = memoryKeep()): ReturnType<typeof ward> {
  const here = ward({}, keep)
  here.take(admission('80211', bed1))
  here.take(admission('90000', bed2))
  return here
}

function found(here: ReturnType<typeof ward>, told: Told, at = told.time ?? received): Attributes {
  return here.take(rates(told), at).samples[0]!.series.attributes
}

const nowhere = { bed: undefined, patient: undefined }

t.test('a device’s reading without a place is of the bed where the device stands, and of who lies there', async t => {
  const here = admitted()
  const { patient } = found(here, { about: [bed1] })
  t.ok(patient)
  t.match(found(here, {}), { bed: 'W3/304/1', patient })
})

t.test('a sender that serves many beds hands no bed on, though an EUI-64 names it', async t => {
  const here = admitted()
  const sent = { sender: gateway, devices: [''] }
  t.match(found(here, { ...sent, about: [bed1] }), { bed: 'W3/304/1', device: '0080A1FFFE000001' })
  t.match(found(here, sent), { ...nowhere, device: '0080A1FFFE000001' })
  t.match(found(here, { sender: gateway, devices: [other] }), nowhere, 'nor to a device that it tells of')
})

t.test('a participant hands no bed on: it may be a nurse’s telephone', async t => {
  const here = admitted()
  const told = (about: readonly string[]) =>
    here.take(`${rates({ devices: [''], about })}\nPRT|1|UC||AUT||||||${pump}`).samples[0]!.series.attributes
  t.match(told([bed1]), { bed: 'W3/304/1', device: '0012210000000000:PUMP-7' })
  t.match(told([]), { ...nowhere, device: '0012210000000000:PUMP-7' })
})

t.test('observations of several devices are at no bed that only one of them was seen at', async t => {
  const here = admitted()
  found(here, { about: [bed1] })
  t.match(found(here, { devices: [pump, other] }), nowhere)
  t.match(found(here, { devices: [pump, pump] }), { bed: 'W3/304/1' })
})

t.test('a device that names now this bed, now that, is at none, until it has stood still', async t => {
  const here = admitted()
  found(here, { about: [bed1] })
  found(here, { about: [bed2], time: received + 1000 })
  t.match(found(here, { time: received + 2000 }), nowhere)
  t.match(found(here, { time: received + 1000 + minute }), { bed: 'W3/304/2' })
  found(here, { about: [bed1], time: received + 2000 + minute })
  t.match(found(here, { time: received + 3000 + minute }), nowhere)
})

t.test('that a device moves is known after a restart', async t => {
  const keep = memoryKeep()
  const before = admitted(keep)
  found(before, { about: [bed1] })
  found(before, { about: [bed2], time: received + 1000 })
  await before.saved()
  const here = ward({}, keep)
  t.match(found(here, { time: received + 1500 }), nowhere)
  found(here, { about: [bed1], time: received + 2000 })
  t.match(found(here, { time: received + 2000 }), nowhere)
})

t.test('a reading that comes late is not of the bed to which its device went since', async t => {
  const here = admitted()
  const moved = received + 10 * minute
  found(here, { about: [bed1] })
  found(here, { about: [bed2], time: moved })
  t.match(found(here, { time: moved - 1000 }, moved + minute), nowhere)
  t.match(found(here, { time: moved }, moved + minute), { bed: 'W3/304/2' })
  t.match(found(here, { about: [bed1], time: moved - 1000 }, moved + minute), { bed: 'W3/304/1' })
  t.match(found(here, { time: moved + minute }, moved + 3 * minute), nowhere, 'where it is now is in doubt')
  found(here, { about: [bed2], time: moved + 3 * minute })
  t.match(found(here, { time: moved + 4 * minute }), { bed: 'W3/304/2' })
})

t.test('what a message says of its place counts, though it is no bed or may not leave', async t => {
  for (const place of ['PV1||I|ED', 'PV1||I|""', 'PV1||I|W3^304^Weaver']) {
    const here = admitted()
    found(here, { about: [bed1] })
    t.match(found(here, { about: [patient('1'), place] }), { bed: undefined }, place)
    t.match(found(here, {}), nowhere, `${place}: it left the bed`)
    found(here, { about: [bed2] })
    t.match(found(here, {}), nowhere, `${place}: and moves`)
  }
})

t.test('a reading of another patient than lies there is at no bed', async t => {
  const here = admitted()
  found(here, { about: [bed1] })
  const { patient: first } = found(here, {})
  t.match(found(here, { about: [patient('80211')] }), { bed: 'W3/304/1', patient: first })
  const stranger = found(here, { about: [patient('90000')] })
  t.equal(stranger.bed, undefined)
  t.not(stranger.patient, first)
  t.match(found(here, { about: ['PID|||||Fuller^Ada'] }), nowhere, 'nor of one without a number')
  t.match(found(here, { about: [`PV1||I${'|'.repeat(17)}V77`] }), nowhere, 'nor of a visit alone')
})

t.test('without keys a message that names a patient is at no bed but its own', async t => {
  const here = ward({}, memoryKeep(), '')
  found(here, { about: [bed1] })
  t.match(found(here, {}), { bed: 'W3/304/1' })
  t.match(found(here, { about: [patient('90000')] }), { bed: undefined })
})

t.test('the same alert at two beds of one sender is two alerts', async t => {
  const here = admitted()
  const alert = (bed: string, phase: string) =>
    here.take(
      [
        `MSH|^~\\&|${gateway}|W3|||${written(received)}||ORU^R40|1|P|2.6`,
        bed,
        `OBR|1||||||${written(received)}`,
        'OBX|1|ST|196674^MDC_EVT_LO_VAL_LT_LIM^MDC|1.1.1.1.1|low|||PH~SP|||R',
        `OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|${phase}||||||R`,
      ].join('\n'),
    ).events[0]!
  const first = alert(bed1, 'start')
  const second = alert(bed2, 'start')
  t.same([first.name, second.name], ['hl7.alert.start', 'hl7.alert.start'])
  t.not(first.attributes.alert, second.attributes.alert)
  t.match(alert(bed2, 'end'), { name: 'hl7.alert.end', attributes: { alert: second.attributes.alert } })
  t.match(alert(bed1, 'continue'), { name: 'hl7.alert.update', attributes: { alert: first.attributes.alert } })
})

t.test('what a sender of many tells of one patient is no news of another', async t => {
  const here = admitted()
  const flagged = (id: string, flag: string) =>
    here.take(rates({ sender: gateway, devices: [''], about: [patient(id)] }).replace('|||||R', `||${flag}|||R`)).events
  t.match(flagged('80211', 'HH'), [{ name: 'hl7.observation.abnormal' }])
  t.same(flagged('90000', ''), [])
  t.match(flagged('80211', ''), [{ name: 'hl7.observation.normal' }])
})
