// What a report has of an NVMe drive: NVM Express Base Specification 2.0, clauses 5.16.1.2 (errors), 5.16.1.3 (health),
// 5.16.1.7 (self-tests).

import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import { severityOf, type TestState, tellSelfTest } from './self-test.ts'
import { defined, type Entry, type State, type Told } from './told.ts'
import { tellSpare, tellWear } from './wear.ts'

/** A data unit is a thousand blocks of 512 bytes. */
const dataUnit = 512_000
const minute = 60

/** Bits of the critical warning, from the lowest. */
const warnings: readonly { readonly name: string; readonly state: State; readonly reason: string }[] = [
  { name: 'spare', state: 'predicted_failure', reason: 'available spare is below its threshold' },
  { name: 'temperature', state: 'degraded', reason: 'temperature is beyond a threshold' },
  {
    name: 'reliability',
    state: 'predicted_failure',
    reason: 'reliability is degraded by errors of the media or inside',
  },
  { name: 'read_only', state: 'failed', reason: 'media is read-only' },
  { name: 'backup', state: 'degraded', reason: 'the backup of volatile memory failed' },
  { name: 'persistent_memory', state: 'degraded', reason: 'the persistent memory region is unreliable' },
]

export function tellNvme(report: Fields, told: Told): void {
  const health = report.map('nvme_smart_health_information_log')
  criticalWarning(health.count('critical_warning'), told)
  tellSpare(told, health.count('available_spare'), health.count('available_spare_threshold'))
  tellWear(told, health.count('percentage_used'))
  sensors(health, told)
  amounts(health, told)
  errors(health, report.map('nvme_error_information_log'), told)
  if (report.has('nvme_self_test_log')) selfTests(report.map('nvme_self_test_log'), told)
}

function criticalWarning(bits: number | undefined, told: Told): void {
  if (bits === undefined || bits > 255) return
  for (const [n, { name, state, reason }] of warnings.entries()) {
    const set = (bits >> n) & 1
    told.value(metrics.warning, set, { 'hw.physical_disk.warning': name })
    if (set === 1) told.is(state, reason)
  }
  if (bits >= 64) told.is('degraded', `unknown bits of the critical warning are set: 0x${bits.toString(16)}`)
}

function sensors(health: Fields, told: Told): void {
  for (const [n, degrees] of health.numbers('temperature_sensors').entries()) {
    told.value(metrics.temperature, degrees, { 'hw.sensor_location': `sensor ${n + 1}` })
  }
  const hot = (key: string, limit: string): void => {
    const minutes = health.count(key)
    told.value(metrics.hotTime, minutes && minutes * minute, { 'hw.limit_type': limit })
  }
  hot('warning_temp_time', 'high.degraded')
  hot('critical_comp_time', 'high.critical')
}

function amounts(health: Fields, told: Told): void {
  for (const [direction, units, commands] of [
    ['read', 'data_units_read', 'host_reads'],
    ['write', 'data_units_written', 'host_writes'],
  ] as const) {
    const count = health.count(units)
    told.value(metrics.io, count && count * dataUnit, { 'disk.io.direction': direction })
    told.value(metrics.operations, health.count(commands), { 'disk.io.direction': direction })
  }
  const busy = health.count('controller_busy_time')
  told.value(metrics.busyTime, busy && busy * minute)
  told.value(metrics.unsafeShutdowns, health.count('unsafe_shutdowns'))
}

function errors(health: Fields, log: Fields, told: Told): void {
  const media = health.count('media_errors')
  told.value(metrics.errors, media, { 'error.type': 'media' })
  told.counter({ key: 'media errors', name: 'media errors', severity: 'error', falls: false }, media)
  told.value(metrics.errors, health.count('num_err_log_entries'), { 'error.type': 'logged' })
  if (log.has('table') || log.has('read')) told.entries('errors', log.list('table').map(loggedError))
}

/** Invalid opcode and invalid field (generic status 1 and 2) are the host's: it asked for what the drive does not have. */
function loggedError(error: Fields): Entry {
  const status = error.map('status_field')
  const [type, code] = [status.count('status_code_type'), status.count('status_code')]
  const isHosts = type === 0 && (code === 1 || code === 2)
  const number = error.count('error_count')
  const body = defined({
    error_number: number,
    description: status.text('string'),
    status: status.count('value'),
    queue: error.count('submission_queue_id'),
    command: error.count('command_id'),
    namespace: error.count('nsid'),
    lba: error.map('lba').count('value'),
  })
  return { key: String(number), severity: isHosts ? 'info' : 'warning', body }
}

/** Results: 0 passed, 5 to 7 found something, 15 is an entry not in use; the others were stopped. */
function selfTests(log: Fields, told: Told): void {
  const done = log.list('table').filter(test => test.map('self_test_result').count('value') !== 15)
  told.entries('self_tests', done.map(loggedTest))
  const running = (log.map('current_self_test_operation').count('value') ?? 0) > 0
  const complete = log.count('current_self_test_completion_percent')
  const state = running ? 'running' : done[0] && outcome(done[0])
  tellSelfTest(told, state, complete === undefined ? undefined : 100 - complete)
}

function outcome(test: Fields): TestState | undefined {
  const code = test.map('self_test_result').count('value')
  if (code === undefined || code > 9) return undefined
  if (code === 0) return 'passed'
  return code >= 5 && code <= 7 ? 'failed' : 'aborted'
}

function loggedTest(test: Fields): Entry {
  const body = defined({
    type: test.map('self_test_code').text('string'),
    status: test.map('self_test_result').text('string'),
    lifetime_hours: test.count('power_on_hours'),
    segment: test.count('segment'),
    namespace: test.count('nsid'),
    lba: test.count('lba'),
  })
  const codes = ['self_test_code', 'self_test_result'].map(code => test.map(code).count('value'))
  return { key: [...codes, body.lifetime_hours].join(':'), severity: severityOf(outcome(test)), body }
}
