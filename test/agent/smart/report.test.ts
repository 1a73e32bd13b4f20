import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { unpack } from '../../../agent/smart/raw.ts'
import { parseReport, type Report } from '../../../agent/smart/report.ts'
import { type Random, seeded } from '../../random.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const file = '/run/fieldline/smart/x.json'
const recorded = globSync(join(import.meta.dirname, '../sources/smart/one-of-each/input/run/fieldline/smart/*-*.json'))

function parse(json: unknown): Report {
  return parseReport(file, Buffer.from(JSON.stringify(json)))
}

function report(more: object): Report {
  const device = { name: '/dev/sda', info_name: '/dev/sda', type: 'sat', protocol: 'ATA' }
  return parse({ smartctl: { exit_status: 0 }, device, model_name: 'M', serial_number: 'S', ...more })
}

function values({ told }: Report): Readonly<Record<string, number>> {
  return Object.fromEntries(told.values.map(v => [`${v.metric.name} ${JSON.stringify(v.attributes)}`, v.value]))
}

t.test('packed raw values are told for what they stand for', async t => {
  const cases: readonly [number, string, number, boolean, number | undefined][] = [
    [5, '312', 312, false, 312],
    [194, '30 (Min/Max 19/41)', 30 | (19 << 16) | (41 << 24), false, 30],
    [194, '-5 (Min/Max -9/41)', 251, false, -5],
    [194, '33 (0 20 0 0 0)', 85899345953, false, 33],
    [3, '423 (Average 428)', 38682755495, false, 423],
    [5, '8 (0 12)', 8 + 12 * 2 ** 32, false, 8],
    [9, '38098 (190 82 0)', 209259396633810, false, 38098],
    [9, '47060h+30m+36.000s', 9023116403587028, false, 47060 + 30 / 60 + 36 / 3600],
    [9, '12h+30m', 750, false, 12.5],
    [9, '12h+30m (77)', 750, false, 12.5],
    [170, '1/1162', 16778378, false, 1],
    [188, '2 3 5', 2 * 2 ** 32 + 3 * 2 ** 16 + 5, false, 5],
    [190, '25.3', 253, false, 25.3],
    [254, '0x000100000002', 2 ** 32 + 2, false, undefined],
    [13, '1 2 3 4 5 6', 1, false, undefined],
    [22, 'unknown', 1, false, undefined],
    [1, '8753415504', 8753415504, true, 2],
    [7, '37229364', 37229364, true, 0],
    [188, '51540393996', 51540393996, true, 12],
    [188, '51540393996', 51540393996, false, 51540393996],
    [5, '70000', 70000, true, 70000],
  ]
  for (const [id, text, raw, seagate, expected] of cases)
    t.equal(unpack(id, text, raw, seagate), expected, `${id} ${text}`)
})

t.test('a drive that sleeps tells nothing but that', async t => {
  for (const mode of ['STANDBY', 'SLEEP', 'STANDBY_Z', 'STANDBY (OS)']) {
    const messages = [{ string: `Device is in ${mode} mode, exit(2)`, severity: 'information' }]
    const { asleep, trouble, told } = parse({ smartctl: { messages, exit_status: 2 }, device: { name: '/dev/sda' } })
    t.match({ asleep, trouble }, { asleep: true, trouble: undefined })
    t.strictSame(told.values, [])
  }
})

t.test('a report without a drive says why, in the words of smartctl where it has some', async t => {
  const why = (smartctl: object) => parse({ smartctl, device: { name: '/dev/sda' } }).trouble
  const denied = 'Smartctl open device: /dev/sda failed: Permission denied'
  t.equal(why({ messages: [{ string: denied, severity: 'error' }], exit_status: 2 }), denied)
  t.equal(why({ exit_status: 2 }), 'smartctl could not open it')
  t.equal(why({ exit_status: 1 }), 'smartctl was asked in a wrong way')
  t.equal(why({ exit_status: 0 }), 'it has neither a model nor a serial number')
})

t.test('what smartctl could not read of a drive is said, and the rest is told', async t => {
  const messages = [
    { string: 'Warning: This result is based on an Attribute check.', severity: 'warning' },
    { string: 'Read SMART Error Log failed: scsi error aborted command', severity: 'error' },
  ]
  const { complaint, trouble, told } = report({ smartctl: { messages, exit_status: 4 }, power_cycle_count: 3 })
  t.equal(complaint, 'Read SMART Error Log failed: scsi error aborted command')
  t.equal(trouble, undefined)
  t.equal(told.values.length, 1)
  t.equal(report({ smartctl: { exit_status: 8 } }).told.state, 'predicted_failure', 'the exit status says DISK FAILING')
  t.equal(report({ smartctl: { exit_status: 8 }, smart_status: { passed: true } }).told.state, 'ok')
  t.equal(report({ smartctl: { exit_status: 64 + 4 } }).told.state, undefined)
})

t.test('a drive is its WWN, else model and serial number, else its name here', async t => {
  const id = (more: object) => report(more).identity?.id
  t.equal(id({ wwn: { naa: 5, oui: 3152, id: 1 } }), 'wwn-0x5000c50000000001')
  t.equal(id({ logical_unit_id: '0x5000CCA02D3F1A28' }), 'wwn-0x5000cca02d3f1a28')
  t.equal(id({ wwn: { naa: 5, oui: 0, id: 0 } }), 'ata-M_S', 'zeros are none')
  t.equal(id({ logical_unit_id: '0x0000000000000000' }), 'ata-M_S')
  t.equal(id({ model_name: 'QEMU  NVMe Ctrl', device: { protocol: 'NVMe' } }), 'nvme-QEMU_NVMe_Ctrl_S')
  t.equal(report({ serial_number: '' }).identity?.id, '/dev/sda')
  t.throws(() => report({ wwn: { naa: 5, oui: 3152, id: 2 ** 36 } }), { message: /x\.json: does not say which drive/ })
})

t.test('reports of older and newer versions of smartctl are read alike', async t => {
  const scsi = { name: '/dev/sda', type: 'scsi', protocol: 'SCSI' }
  const old = { model_name: undefined, vendor: 'SEAGATE', product: 'ST300', revision: '0006', device: scsi }
  t.match(report(old).identity, { vendor: 'SEAGATE', model: 'ST300', firmware: '0006' })
  const now = values(report({ endurance_used: { current_percent: 7 }, spare_available: { current_percent: 90 } }))
  t.equal(now['hw.physical_disk.endurance_utilization {"hw.physical_disk.state":"used"}'], 0.07)
  t.equal(now['hw.physical_disk.spare {}'], 0.9)
})

t.test('a sensor that is not there has no temperature', async t => {
  const degrees = (temperature: object) => values(report({ temperature }))['hw.temperature {}']
  t.equal(degrees({ current: 0, drive_trip: 0 }), undefined)
  t.equal(degrees({ current: 255 }), undefined)
  t.equal(degrees({ current: -273 }), undefined)
  t.equal(degrees({ current: 0 }), 0, 'a cold ATA drive')
  const scsi = { device: { name: '/dev/sda', protocol: 'SCSI' }, temperature: { current: 0 } }
  t.equal(values(report(scsi))['hw.temperature {}'], undefined)
  t.equal(degrees({ current: -12, drive_trip: 68 }), -12)
})

t.test('an emulated drive that knows nothing of spare capacity has none', async t => {
  const spare = (available: number, threshold: number) =>
    values(
      report({
        device: { protocol: 'NVMe' },
        nvme_smart_health_information_log: { available_spare: available, available_spare_threshold: threshold },
      }),
    )['hw.physical_disk.spare {}']
  t.equal(spare(0, 0), undefined)
  t.equal(spare(0, 10), 0, 'all is used up')
  t.equal(spare(100, 10), 1)
})

t.test('the state is the worst of what the drive says', async t => {
  const state = (more: object) => report(more).told
  const failing = (prefailure: boolean) => ({
    smart_status: { passed: true },
    ata_smart_attributes: { table: [{ id: 5, name: 'X', when_failed: 'now', flags: { prefailure }, raw: {} }] },
  })
  t.equal(state({}).state, undefined, 'no verdict')
  t.equal(state({ smart_status: { passed: true } }).state, 'ok')
  t.equal(state({ smart_status: { passed: false } }).state, 'predicted_failure')
  t.equal(state(failing(true)).state, 'predicted_failure')
  t.equal(state(failing(false)).state, 'degraded')
  t.strictSame(state(failing(true)).reasons, ['attribute 5 X is below its threshold'])
  const nvme = (bits: number) =>
    state({
      device: { protocol: 'NVMe' },
      smart_status: { passed: bits === 0 },
      nvme_smart_health_information_log: { critical_warning: bits },
    })
  const states = [0, 1, 2, 4, 8, 16, 32, 64].map(bits => nvme(bits).state)
  const bad = 'predicted_failure'
  t.strictSame(states, ['ok', bad, 'degraded', bad, 'failed', 'degraded', 'degraded', 'degraded'])
  t.strictSame(nvme(6).reasons.length, 2)
})

t.test('a field that is not as it should be is named, and costs only itself', async t => {
  const { strange, told } = report({
    temperature: { current: 'hot' },
    power_cycle_count: 12,
    power_on_time: { hours: -1 },
  })
  t.strictSame(strange, ['temperature.current is not a number', 'power_on_time.hours is not a count'])
  t.equal(told.values.length, 1)
})

t.test('what is no report is an error that names the file', async t => {
  for (const text of ['', '{', '[]', '7', 'null', '{}', '{"smartctl"', '\0\0\0', '<html>', '{"device":{}}']) {
    t.throws(() => parseReport(file, Buffer.from(text)), { message: /^\/run\/fieldline\/smart\/x\.json: / }, text)
  }
})

t.test('a report with anything in the place of a number tells the truth of all others', async t => {
  t.equal(recorded.length, 4)
  for (const path of recorded) {
    const whole = JSON.parse(readFileSync(path, 'utf8')) as Json
    const truth = values(parse(whole))
    for (const place of numbers(whole)) {
      for (const wrong of [null, 'x', true, [], {}, 1e300, -1]) {
        const damaged = structuredClone(whole)
        put(damaged, place, wrong)
        const told = tryValues(t, damaged)
        const lie = Object.entries(told).find(([key, value]) => key in truth && value !== truth[key])
        const places = place.join('.')
        if (lie !== undefined && !(wrong === -1 && isSigned(places))) {
          t.fail(`${places} as ${JSON.stringify(wrong)}: ${lie[0]} became ${lie[1]}, it is ${truth[lie[0]]}`)
        }
      }
    }
  }
})

/** Where a number below zero may be the truth. */
function isSigned(place: string): boolean {
  return /temperature|statistics.*\.value$/.test(place)
}

t.test('bytes of any kind are an error or values that are numbers', async t => {
  const random = seeded(t)
  const texts = recorded.map(path => readFileSync(path))
  for (let n = 0; n < 1500; n++) {
    const bytes = Buffer.from(mangle(random, random.pick(texts)))
    const report = tryParse(t, bytes)
    if (report === undefined) continue
    t.ok(report.told.values.every(v => Number.isFinite(v.value)) || t.fail(bytes.toString('latin1')))
    t.ok(report.told.values.length < 5000)
  }
})

function mangle(random: Random, whole: Buffer): Buffer {
  const bytes = Buffer.from(whole)
  const kind = random.below(4)
  if (kind === 0) return bytes.subarray(0, random.below(bytes.length))
  if (kind === 1) {
    for (let n = 0; n < 8; n++) bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  }
  if (kind === 2) {
    const json = JSON.parse(bytes.toString()) as Json
    const places = numbers(json)
    for (let n = 0; n < 5; n++)
      put(json, random.pick(places), random.pick([null, 'x', 1e308, -1, [], {}, [[]], 2 ** 63, 0.5]))
    return Buffer.from(JSON.stringify(json))
  }
  // Digits for digits, so that it is JSON still.
  return Buffer.from(bytes.toString().replace(/\d/g, d => (random() < 0.02 ? String(random.below(10)) : d)))
}

function tryParse(t: Test, bytes: Buffer): Report | undefined {
  try {
    return parseReport(file, bytes)
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith(`${file}: `))) t.fail('another error', { error })
    return undefined
  }
}

function tryValues(t: Test, json: Json): Readonly<Record<string, number>> {
  const report = tryParse(t, Buffer.from(JSON.stringify(json)))
  return report === undefined ? {} : values(report)
}

/** The path of each number. */
function numbers(json: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof json === 'number') return [path]
  if (json === null || typeof json !== 'object') return []
  return Object.entries(json).flatMap(([key, value]) => numbers(value, [...path, key]))
}

function put(json: Json, path: readonly (string | number)[], value: unknown): void {
  let at = json as Record<string, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
  at[path.at(-1)!] = value
}
