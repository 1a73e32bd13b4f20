import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { fieldline } from './command.ts'

t.test('one reading is an aligned table', async t => {
  const { status, out } = await fieldline(['test', 'memory'])
  t.equal(status, 0)
  const [head, ...rows] = out.trimEnd().split('\n')
  t.match(head, /^name +attributes +value {2}unit$/)
  const end = head!.indexOf('value') + 'value'.length
  for (const row of rows) t.match(row.slice(0, end + 2), /^system\.\S* .*\d {2}$/, row)
})

t.test('--json is one line with what would be sent', async t => {
  const { status, out } = await fieldline(['test', 'memory', '--json'])
  t.equal(status, 0)
  t.equal(out.trimEnd().split('\n').length, 1)
  t.match(JSON.parse(out).samples[0], { series: { name: /^system\.memory/, unit: 'By' }, time: Number, value: Number })
})

t.test('with a configuration the source is found by its name and reads below its root', async t => {
  const config = (root: string) => `daemon: agent
root: ${root}
sources:
  - { type: load, name: burden }
uplinks: []
`
  const folder = t.testdir({ host: { proc: { loadavg: '0.50 1.25 2.00 3/400 5000\n' } } })
  const file = join(
    t.testdir({ host: { proc: { loadavg: '0.50 1.25 2.00 3/400 5000\n' } }, 'a.yaml': config(join(folder, 'host')) }),
    'a.yaml',
  )
  const { status, out } = await fieldline(['test', 'burden', '--config', file])
  t.equal(status, 0)
  t.match(out, /1\.25/)
})

t.test('a source that reads nothing says so', async t => {
  const folder = t.testdir({ host: {} })
  const file = join(
    t.testdir({ host: {}, 'a.yaml': `daemon: agent\nroot: ${folder}/host\nsources: [{ type: load }]\nuplinks: []\n` }),
    'a.yaml',
  )
  t.match(await fieldline(['test', 'load', '--config', file]), { status: 0, out: /^No data: / })
})

t.test('an unknown source is a usage error that names the nearest', async t => {
  t.match(await fieldline(['test', 'memroy']), { status: 2, err: /unknown source "memroy"; did you mean memory\?/ })
  t.match(await fieldline(['test', 'quantum-flux']), { status: 2, err: /known are cpu, memory/ })
})

t.test('a source that needs options names them and the way to give them', async t => {
  t.match(await fieldline(['test', 'modbus']), { status: 2, err: /give --config FILE\nurl: .*missing/ })
})

t.test('a reader that has seen enough is no failure', async t => {
  const program = new URL('../../fieldline.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, '--help'])
  child.stdout.destroy()
  const [said, [code]] = await Promise.all([child.stderr.toArray(), once(child, 'exit')])
  t.equal(Buffer.concat(said).toString(), '')
  t.equal(code, 0)
})
