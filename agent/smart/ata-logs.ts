// The logs of an ATA drive, ACS-4 clause 9: errors and self-tests, newest first.

import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import { severityOf, type TestState, tellSelfTest } from './self-test.ts'
import { defined, type Entry, type Told } from './told.ts'

export function tellErrorLog(log: Fields, told: Told): void {
  const found = ['extended', 'summary'].filter(key => log.has(key)).map(key => log.map(key))
  const count = found.map(l => l.count('count')).find(c => c !== undefined)
  told.value(metrics.errors, count, { 'error.type': 'logged' })
  const first = found.find(l => l.count('count') !== undefined)
  if (first !== undefined) told.entries('errors', first.list('table').map(loggedError))
}

function loggedError(error: Fields): Entry {
  const registers = error.map('completion_registers')
  const [number, hours] = [error.count('error_number'), error.count('lifetime_hours')]
  const body = defined({
    error_number: number,
    lifetime_hours: hours,
    description: error.text('error_description'),
    lba: registers.count('lba'),
    error_register: registers.count('error'),
    status_register: registers.count('status'),
    command: error.list('previous_commands')[0]?.text('command_name'),
  })
  return { key: `${number}:${hours}`, severity: 'error', body }
}

/** The results of ACS-4 table A.14: from 3 on the test found something; 1 and 2 say that it was stopped. */
export function tellSelfTests(report: Fields, told: Told): void {
  const log = report.map('ata_smart_self_test_log')
  const kind = ['extended', 'standard'].find(key => log.has(key))
  const tests = kind === undefined ? [] : log.map(kind).list('table')
  const done = tests.filter(t => result(t.map('status')) !== running)
  if (kind !== undefined) told.entries('self_tests', done.map(loggedTest))
  const status = report.map('ata_smart_data').map('self_test').map('status')
  // Of one that passed the status says the same as where there never was any.
  const last = result(status) || (done[0] && result(done[0].map('status')))
  tellSelfTest(told, last === undefined ? undefined : outcome(last), status.number('remaining_percent'))
}

const running = 15

/** 0 to 15, the upper half of the status. */
function result(status: Fields): number | undefined {
  const value = status.count('value')
  return value === undefined || value > 255 ? undefined : value >> 4
}

function outcome(code: number): TestState {
  if (code === running) return 'running'
  if (code === 0) return 'passed'
  return code < 3 ? 'aborted' : 'failed'
}

function loggedTest(test: Fields): Entry {
  const [type, status] = [test.map('type'), test.map('status')]
  const [code, hours] = [result(status), test.count('lifetime_hours')]
  const body = defined({
    type: type.text('string'),
    status: status.text('string'),
    lifetime_hours: hours,
    lba: test.count('lba'),
  })
  // By codes: other versions of smartctl have other words for them.
  const key = [type.count('value'), status.count('value'), hours].join(':')
  return { key, severity: severityOf(code === undefined ? undefined : outcome(code)), body }
}
