import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { messagesOf, plain, received, ward } from './ward.ts'

const cases = join(import.meta.dirname, 'ward')

/** A folder holds messages, in their order, and what each of them is mapped to. */
t.test('messages are mapped as their folders say', async t => {
  for (const name of readdirSync(cases)) {
    const read = (file: string): string => readFileSync(join(cases, name, file), 'utf8')
    const options = readdirSync(join(cases, name)).includes('options.json') ? JSON.parse(read('options.json')) : {}
    const here = ward(options)
    const told = messagesOf(read('messages.hl7')).map(message => plain(here.take(message)))
    t.strictSame(told, JSON.parse(read('expected.json')), name)
  }
})

const monitor = 'M8001^^0080A1FFFE00AB12^EUI-64'

function admission(trigger: string, patient: string, bed: string, time = '20261126090000+0000'): string {
  return [
    `MSH|^~\\&|ADT|HOSP|||${time}||ADT^${trigger}|1|P|2.5`,
    `EVN||${time}`,
    `PID|1||${patient}^^^HOSP^MR||Weaver^Jolanda`,
    `PV1|1|I|${bed}`,
  ].join('\n')
}

function heartRate(value: string, more = '', time = '20261126095959+0000'): string {
  return [
    `MSH|^~\\&|CMS|W3|||${time}||ORU^R01|2|P|2.6${more}`,
    `OBR|1|A|A|monitoring|||${time}`,
    `OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|${value}|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||||||${monitor}`,
  ].join('\n')
}

const atBed = heartRate('70', '\nPV1||I|W3^304^2')

t.test('who lies where is known after a restart, under pseudonyms alone', async t => {
  const keep = memoryKeep()
  const before = ward({}, keep)
  before.take(admission('A01', '80211', 'W3^304^2'))
  const named = before.take(atBed).samples[0]!.series.attributes
  await before.saved()
  const after = ward({}, keep).take(heartRate('71')).samples[0]!.series.attributes
  t.equal(after.patient, named.patient)
  t.equal(after.bed, 'W3/304/2')
  t.notMatch(keep.load(), /80211|Weaver|Jolanda/)
})

t.test('what was made of a message that could not be stored is not remembered', async t => {
  const here = ward()
  here.fail(admission('A01', '80211', 'W3^304^2'))
  t.equal(here.take(atBed).samples[0]!.series.attributes.patient, undefined)
  t.same(here.fail(heartRate('-999')).events.length, 1)
  t.same(here.take(heartRate('-999')).events.length, 1, 'told again, for nobody heard it')
  t.same(here.take(heartRate('-999')).events.length, 0)
})

t.test('a fault is told once when it begins and once when it is over', async t => {
  const here = ward()
  const names = (value: string) => here.take(heartRate(value)).events.map(e => `${e.name} ${e.attributes.reason ?? ''}`)
  t.same(names('70'), [])
  t.same(names('-999'), ['hl7.observation.no_value sentinel'])
  t.same(names('-999'), [])
  t.same(names('7,0'), ['hl7.observation.no_value comma in the number'])
  t.same(names('70'), ['hl7.observation.valid '])
})

t.test('what a laboratory finds in one patient is no news of another', async t => {
  const here = ward()
  const result = (patient: string, flag: string) =>
    here.take(
      `MSH|^~\\&|LAB|HOSP|||20261126100000+0000||ORU^R01|1|P|2.5\nPID|||${patient}^^^HOSP^MR\nOBR|1|A|B|x|||20261126095900+0000\nOBX|1|NM|2345-7^Glucose^LN||82|mg/dL||${flag}|||F`,
    ).events
  t.match(result('1001', 'HH'), [{ name: 'hl7.observation.abnormal' }])
  t.same(result('1002', ''), [])
  t.match(result('1001', ''), [{ name: 'hl7.observation.normal' }])
})

t.test('a rotated key names patients anew, and who lies there since before is still known', async t => {
  const keep = memoryKeep()
  const old = `2026-11-01 ${'5a'.repeat(32)}`
  const before = ward({}, keep, old)
  before.take(admission('A01', '80211', 'W3^304^2'))
  await before.saved()
  const rotated = `${old}\n2026-11-26 ${'c3'.repeat(32)}`
  const here = ward({ key_overlap: '30d' }, keep, rotated)
  t.match(here.take(atBed).samples[0]!.series.attributes.patient, /^20261101-/)
  const left = here.take(admission('A03', '80211', 'W3^304^2', '20261126095000+0000')).events[0]!
  t.match(left, { name: 'hl7.patient.discharged', attributes: { patient: /^20261126-/, from: 'W3/304/2' } })
  t.equal(here.take(atBed).samples[0]!.series.attributes.patient, undefined)
})

t.test('after the overlap an old key is no longer read', async t => {
  const keep = memoryKeep()
  const old = `2026-11-01 ${'5a'.repeat(32)}`
  const before = ward({}, keep, old)
  before.take(admission('A01', '80211', 'W3^304^2'))
  await before.saved()
  const here = ward({ key_overlap: '1h' }, keep, `${old}\n2026-11-25 ${'c3'.repeat(32)}`)
  const left = here.take(admission('A03', '80211', 'W3^304^2')).events[0]!
  t.equal(left.attributes.from, undefined)
})

t.test('without a key patients and visits are left out', async t => {
  const here = ward({}, memoryKeep(), '')
  const message = heartRate('70', '\nPID|||80211^^^HOSP^MR\nPV1||I|W3^304^2')
  t.strictSame(Object.keys(here.take(message).samples[0]!.series.attributes), ['source', 'device', 'bed', 'mdc'])
})

t.test('another patient than the one who lies there is told once', async t => {
  const here = ward()
  here.take(admission('A01', '80211', 'W3^304^2'))
  const other = heartRate('70', '\nPID|||999^^^HOSP^MR\nPV1||I|W3^304^2')
  t.match(here.take(other).events, [{ name: 'hl7.patient.mismatch', severity: 'warning' }])
  t.same(here.take(other).events, [])
})

t.test('texts and more fields leave where the configuration names them', async t => {
  const text = heartRate('70').replace('|NM|', '|ST|').replace('|70|', '|irregular|')
  t.equal(ward().take(text).events[0]!.attributes.reason, 'a text, not forwarded')
  t.equal(ward({ forward: ['OBX-5'] }).take(text).events[0]!.attributes.value, 'irregular')
  t.equal(ward({ forward: ['PV1-3'] }).take(atBed).samples[0]!.series.attributes.device, undefined)
})

t.test(
  'fields of a patient leave in the events of admissions where the configuration names them, and only those',
  async t => {
    const told = ward({ forward: ['PV1-3', 'PID-8', 'PV1-2'] }).take(
      admission('A01', '80211', 'W3^304^2').replace('Weaver^Jolanda', 'Weaver^Jolanda||19500203|F'),
    )
    t.strictSame(told.events[0]!.body, { 'PID-8': 'F', 'PV1-2': 'I' })
    t.throws(() => ward({ forward: ['NTE-3'] }), /a field of PID, PV1, PV2 or EVN/)
  },
)

t.test('patients who change beds are both transferred', async t => {
  const here = ward()
  here.take(admission('A01', '80211', 'W3^304^2'))
  here.take(admission('A01', '90000', 'W3^304^1'))
  const swap = [
    ...admission('A17', '80211', 'W3^304^1').split('\n'),
    'PID|1||90000^^^HOSP^MR',
    'PV1|1|I|W3^304^2',
  ].join('\n')
  t.match(here.take(swap).events, [
    { name: 'hl7.patient.transferred', attributes: { bed: 'W3/304/1', from: 'W3/304/2' } },
    { name: 'hl7.patient.transferred', attributes: { bed: 'W3/304/2' } },
  ])
  t.equal(here.take(atBed).samples[0]!.series.attributes.patient, here.take(swap).events[1]!.attributes.patient)
})

t.test('an update of one who has left brings nobody back and drives nobody out', async t => {
  const lies = (here: ReturnType<typeof ward>) => here.take(atBed).samples[0]!.series.attributes.patient
  const here = ward()
  const update = admission('A08', '80211', 'W3^304^2')
  here.take(update)
  const first = lies(here)
  t.ok(first, 'where nothing was known it tells')
  here.take(admission('A03', '80211', 'W3^304^2', '20261126091000+0000'))
  here.take(update)
  t.equal(lies(here), undefined)
  here.take(admission('A01', '90000', 'W3^304^2', '20261126092000+0000'))
  const second = lies(here)
  t.ok(second !== undefined && second !== first)
  here.take(update)
  here.take(admission('A08', '70000', 'W3^304^2'))
  t.equal(lies(here), second)
  const gone = ward()
  gone.take(`${update}${'|'.repeat(42)}20261126091000`)
  t.equal(lies(gone), undefined, 'PV1-45')
})

t.test('a patient who lay in two beds under two names lies in one when they are merged', async t => {
  const here = ward()
  here.take(admission('A01', '80211', 'W3^304^1'))
  here.take(admission('A01', '90000', 'W3^304^2'))
  const merge = `${admission('A40', '80211', '', '20261126093000+0000').replace(/\nPV1.*/, '')}\nMRG|90000^^^HOSP^MR`
  t.match(here.take(merge).events, [{ name: 'hl7.patient.merged', attributes: { merged: /./ } }])
  const attributes = (bed: string, time?: string) =>
    here.take(heartRate('70', `\nPV1||I|${bed}`, time)).samples[0]!.series.attributes
  const { patient } = attributes('W3^304^1')
  t.ok(patient)
  t.equal(attributes('W3^304^2').patient, undefined)
  t.equal(attributes('W3^304^2', '20261126092959+0000').patient, patient, 'and lay there before')
})

t.test('codes of a site leave where the configuration names them', async t => {
  const local = heartRate('4.1').replace('147842^MDC_ECG_HEART_RATE^MDC', 'XCRP^C reactive^99LAB')
  t.same(ward().take(local).samples, [])
  const { samples } = ward({ local_codes: ['99LAB:XCRP'] }).take(local)
  t.match(samples, [{ series: { name: 'local.xcrp' }, value: 4.1 }])
})

t.test('raw waveforms come where the configuration asks for them', async t => {
  const wave = [
    'MSH|^~\\&|CMS|W3|||20261126100000+0000||ORU^W01|42|P|2.6',
    'OBR|1||42|WAVE|||20261126095959+0000',
    'OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.7.6.131330|1^2^32767^4|262656^MDC_DIM_DIMLESS^MDC',
    'OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.7.6.131330.1|4|264608^MDC_DIM_PER_SEC^MDC',
  ].join('\n')
  const raw = ward({ waveforms: 'raw' })
    .take(wave)
    .samples.filter(s => s.series.name === 'mdc.ecg_elec_potl_ii')
  t.same(
    raw.map(s => [s.time - received, s.value]),
    [
      [-1000, 1],
      [-750, 2],
      [-250, 4],
    ],
  )
  t.same(ward({ waveforms: 'off' }).take(wave).samples, [])
})

t.test('an older waveform takes rate and scale from its channel definition', async t => {
  const wave = [
    'MSH|^~\\&|ECG|W3|||20261126100000+0000||ORU^W01|42|P|2.4',
    'OBR|1||42|WAVE|||20261126095959+0000',
    'OBX|1|CD|131330^MDC_ECG_ELEC_POTL_II^MDC|1|1&II^EC1&ECG^0.5&mV^1^250^-2048&2047',
    'OBX|2|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1|2^4^6~8',
  ].join('\n')
  const { samples } = ward().take(wave)
  const by = Object.fromEntries(samples.map(s => [s.series.name.replace(/.*\./, ''), [s.value, s.series.unit]]))
  t.match(by, { min: [1, 'mV'], max: [4, 'mV'], samples: [4, '{sample}'], sample_rate: [250, 'Hz'] })
})

t.test('a message that makes no sense is refused without a word of it', async t => {
  const refused = { name: 'Refused', message: /^(?!.*Weaver)/ }
  t.throws(() => ward().take('MSH|^~\\&|A|B|||2026||WEAVER^R01|1|P|2.6'), refused)
  t.throws(() => ward().take('MSH|^~\\&|A|B|||2026||ORU^Weaver|1|P|2.6'), refused)
  t.throws(() => ward().take('MSH|^~\\&|A|B|||2026||ORU^R01|1|P|2.6\nPID|||1'), refused)
})
