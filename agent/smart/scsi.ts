// What a report has of a SCSI or SAS drive: log pages of SPC-5 and SBC-4.

import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import { severityOf, type TestState, tellSelfTest } from './self-test.ts'
import { defined, type Entry, type Told } from './told.ts'
import { tellWear } from './wear.ts'

export function tellScsi(report: Fields, told: Told): void {
  for (const direction of ['read', 'write', 'verify']) errorCounters(direction, report, told)
  defects('grown', report.count('scsi_grown_defect_list'), told)
  defects('pending', report.map('scsi_pending_defects').count('count'), told)
  tellWear(told, report.count('scsi_percentage_used_endurance_indicator'))
  const cycles = report.map('scsi_start_stop_cycle_counter')
  told.value(metrics.cycles, cycles.count('accumulated_start_stop_cycles'), { 'hw.physical_disk.cycle': 'start_stop' })
  told.value(metrics.cycles, cycles.count('accumulated_load_unload_cycles'), {
    'hw.physical_disk.cycle': 'load_unload',
  })
  verdict(report.map('smart_status').map('scsi'), told)
  selfTests(report, told)
}

const corrections = [
  ['errors_corrected_by_eccfast', 'ecc_fast'],
  ['errors_corrected_by_eccdelayed', 'ecc_delayed'],
  ['errors_corrected_by_rereads_rewrites', 'retry'],
  ['correction_algorithm_invocations', 'invocations'],
] as const

/** The pages of error counters, SPC-5 7.3.5; gigabytes are 10^9 bytes. */
function errorCounters(direction: string, report: Fields, told: Told): void {
  const page = report.map('scsi_error_counter_log').map(direction)
  const of = (type: string) => ({ 'error.type': type, 'disk.io.direction': direction })
  const uncorrected = page.count('total_uncorrected_errors')
  told.value(metrics.errors, uncorrected, of('uncorrected'))
  const name = `uncorrected ${direction} errors`
  told.counter({ key: name, name, severity: 'error', falls: false }, uncorrected)
  told.value(metrics.errors, page.count('total_errors_corrected'), of('corrected'))
  for (const [key, correction] of corrections) {
    const of = { 'hw.physical_disk.correction': correction, 'disk.io.direction': direction }
    told.value(metrics.corrections, page.count(key), of)
  }
  const gigabytes = page.text('gigabytes_processed')
  if (gigabytes === undefined || !/^\d+(\.\d+)?$/.test(gigabytes)) return
  told.value(metrics.io, Math.round(Number(gigabytes) * 1000) * 1e6, { 'disk.io.direction': direction })
}

function defects(kind: 'grown' | 'pending', count: number | undefined, told: Told): void {
  told.value(metrics.defects, count, { 'hw.physical_disk.defect': kind })
  const name = `${kind} defects`
  told.counter({ key: name, name, severity: 'warning', falls: kind === 'pending' }, count)
}

/** The informational exception, SPC-5 D.2: 5Dh is a failure predicted, 0Bh a warning. */
function verdict(exception: Fields, told: Told): void {
  const reason = exception.text('ie_string')
  const code = exception.count('asc')
  if (code === 0x5d) told.is('predicted_failure', reason)
  if (code === 0x0b) told.is('degraded', reason)
}

/** The results of SPC-5 table 342: 1 and 2 say that it was stopped, 3 to 7 that it found something, 15 that it goes on. */
function selfTests(report: Fields, told: Told): void {
  const keys = report.keys.filter(key => /^scsi_self_test_\d{1,2}$/.test(key)).sort((a, b) => numberOf(a) - numberOf(b))
  if (keys.length === 0) return
  const tests = keys.map(key => report.map(key))
  const done = tests.filter(test => outcome(test) !== 'running')
  told.entries('self_tests', done.map(loggedTest))
  tellSelfTest(told, outcome(tests[0]!), undefined)
}

function numberOf(key: string): number {
  return Number(key.slice('scsi_self_test_'.length))
}

function outcome(test: Fields): TestState | undefined {
  if (test.flag('self_test_in_progress') === true) return 'running'
  const code = test.map('result').count('value')
  if (code === undefined || (code > 7 && code < 15)) return undefined
  if (code === 15) return 'running'
  if (code === 0) return 'passed'
  return code < 3 ? 'aborted' : 'failed'
}

function loggedTest(test: Fields): Entry {
  const body = defined({
    type: test.map('code').text('string'),
    status: test.map('result').text('string'),
    lifetime_hours: test.map('power_on_time').count('hours'),
    segment: test.map('failed_segment').count('value'),
    lba: test.map('lba_first_failure').count('value'),
  })
  const key = [test.map('code').count('value'), test.map('result').count('value'), body.lifetime_hours].join(':')
  return { key, severity: severityOf(outcome(test)), body }
}
