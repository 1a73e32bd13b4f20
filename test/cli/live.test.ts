import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { LiveTable } from '../../cli/live-table.ts'
import { clipped } from '../../cli/table.ts'
import type { Event, Series } from '../../core/model.ts'
import { until } from '../brokers.ts'

const oil: Series = { name: 'oil', unit: 'Cel', kind: 'gauge', attributes: { source: 'plc' } }

const event = (name: string, attributes: Event['attributes'], body: Event['body']): Event => ({
  name,
  time: 1,
  severity: 'warning',
  attributes,
  body,
})

/** Words of each line but the last one. */
function words(table: LiveTable, now: number, lines = 24): string[][] {
  const all = table.text(now, lines).split('\n').slice(0, -1)
  return all.map(line => line.split(/ {2,}/)).filter(([first]) => first !== '')
}

t.test('each series has one row with its last value, how old it is and its quality', t => {
  const table = new LiveTable()
  t.match(table.text(0, 24), /^Nothing has come yet/)
  table.take({ samples: [{ series: oil, time: 1, value: 50 }], events: [] }, 1000)
  table.take({ samples: [{ series: oil, time: 1, value: 51 }], events: [] }, 2000)
  t.strictSame(words(table, 3500), [
    ['name', 'value', 'unit', 'age', 'quality', 'attributes'],
    ['oil', '51', 'Cel', '1.5 s', 'good', 'source=plc'],
  ])
  table.take(
    { samples: [], events: [event('modbus.quality_changed', { register: 'oil' }, { quality: 'refused' })] },
    4000,
  )
  t.match(words(table, 62_000)[1], ['oil', '51', 'Cel', '60 s', 'refused'])
  table.take({ samples: [{ series: oil, time: 1, value: 52 }], events: [] }, 63_000)
  t.match(words(table, 63_000)[1], ['oil', '52', 'Cel', '0.0 s', 'good'])
  t.end()
})

t.test('what never had a value is there with its quality, until its first value', t => {
  const table = new LiveTable()
  const bad = event('opcua.quality.bad', { source: 'plc' }, { status: 'BadNodeIdUnknown', nodes: ['oil', 'level'] })
  table.take({ samples: [], events: [bad] }, 0)
  t.match(words(table, 0).slice(1, 3), [
    ['oil', '-', '-', 'BadNodeIdUnknown'],
    ['level', '-', '-', 'BadNodeIdUnknown'],
  ])
  table.take({ samples: [{ series: oil, time: 1, value: 50 }], events: [] }, 0)
  t.match(words(table, 0).slice(1, 3), [
    ['level', '-', '-', 'BadNodeIdUnknown'],
    ['oil', '50', 'Cel', '0.0 s', 'good', 'source=plc'],
  ])
  t.end()
})

t.test('it is as high as the terminal, and tells how much there is besides', t => {
  const table = new LiveTable()
  const samples = Array.from({ length: 100 }, (_, n) => ({ series: { ...oil, name: `s${n}` }, time: 1, value: n }))
  table.take({ samples, events: [] }, 0)
  table.say('no answer\u001b[2J')
  const lines = table.text(0, 20).split('\n')
  t.ok(lines.length <= 20, `${lines.length} lines`)
  t.ok(lines.includes('... and 85 more'), lines.join('\n'))
  t.ok(lines.includes('no answer\\u001b[2J'), 'no text steers the terminal')
  t.equal(clipped('温度 abc', 6), '温度 a')
  t.end()
})

const program = new URL('../../fieldline.ts', import.meta.url).pathname

function started(t: Test, command: string, args: readonly string[]) {
  const child = spawn(command, args, { env: { ...process.env, LC_ALL: 'C' }, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const seen = { out: '' }
  child.stdout.on('data', (text: Buffer) => {
    seen.out += text.toString()
  })
  const ended = once(child, 'close').then(([code]) => code as number)
  return { child, seen, ended }
}

t.test('without a terminal each value is a line, until it is interrupted', async t => {
  const { child, seen, ended } = started(t, process.execPath, [program, 'test', 'load', '--live'])
  await until('two readings', () => (seen.out.match(/system\.cpu\.load_average\.1m/g) ?? []).length >= 1, 30_000)
  child.kill('SIGINT')
  t.equal(await ended, 0)
  t.match(seen.out, /^\d{4}-\d\d-\d\dT[\d:.]+Z system\.\S+ /m)
})

t.test('on a terminal the table is drawn in place, and Ctrl-C gives the terminal back', async t => {
  // A shell that stays in between would be interrupted too.
  const shell = `exec ${process.execPath} ${program} test load --live`
  const { child, seen, ended } = started(t, '/usr/bin/script', ['-qec', shell, '/dev/null'])
  await until('a value', () => /system\.cpu\.load_average\.1m .*good/.test(seen.out), 30_000)
  child.stdin.write('\u0003')
  t.equal(await ended, 0)
  const places = ['\u001b[?25l', '\u001b[H', '\u001b[?25h'].map(code => seen.out.indexOf(code))
  t.ok(places[0]! >= 0 && places[0]! < places[1]! && places[1]! < places[2]!, places.join(' '))
})
