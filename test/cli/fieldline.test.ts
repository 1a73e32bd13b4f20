import t from 'tap'
import { fieldline } from './command.ts'

t.test('--version says the version', async t => {
  t.match(await fieldline(['--version']), { status: 0, out: /^fieldline \d+\.\d+\.\d+\n$/, err: '' })
})

t.test('without a command, with --help and with help the usage is shown', async t => {
  for (const args of [[], ['--help'], ['help'], ['-h']]) {
    t.match(await fieldline(args), { status: 0, out: /^Usage: fieldline COMMAND/m, err: '' }, args.join())
  }
})

t.test('every command tells its usage and an example', async t => {
  const names = [
    'agent',
    'gateway',
    'collector',
    'check',
    'test',
    'inventory',
    'probe',
    'status',
    'demo',
    'smart-reports',
  ]
  for (const name of names) {
    const { status, out } = await fieldline([name, '--help'])
    t.equal(status, 0)
    t.match(out, new RegExp(`^Usage: fieldline ${name}[^]*^Examples\\n  fieldline ${name}`, 'm'))
  }
})

t.test('the texts come in the language of the locale', async t => {
  t.match(await fieldline(['check', '--help'], { LC_ALL: 'zh_CN.UTF-8' }), { out: /^用法：fieldline check/m })
  t.match(await fieldline(['check', '--help'], { LC_ALL: '', LC_MESSAGES: '', LANG: 'zh_CN' }), { out: /^用法/m })
  t.match(await fieldline(['check', '--help'], { LC_ALL: 'de_DE.UTF-8', LANG: 'zh_CN' }), { out: /^Usage/m })
})

t.test('an unknown command is a usage error that names the nearest', async t => {
  const near = await fieldline(['colector'])
  t.match(near, {
    status: 2,
    out: '',
    err: 'unknown command "colector"; did you mean collector?\nTry: fieldline --help\n',
  })
  t.match(await fieldline(['zzzzzzzzzz']), { status: 2, err: /known are agent, gateway, collector, check/ })
  t.match(await fieldline(['toString']), { status: 2, err: /unknown command "toString"/ })
  t.match(await fieldline(['help', 'chek']), { status: 2, err: /did you mean check/ })
})

t.test('an unknown option, a missing value and a word too many are usage errors', async t => {
  const unknown = await fieldline(['check', '--resolvd', 'x'])
  t.match(unknown, {
    status: 2,
    err: 'unknown option --resolvd; did you mean --resolved?\nTry: fieldline check --help\n',
  })
  t.match(await fieldline(['check']), { status: 2, err: /^FILE is missing\n/ })
  t.match(await fieldline(['check', 'a', 'b']), { status: 2, err: /^unexpected "b"\n/ })
  t.match(await fieldline(['agent', '--config']), { status: 2, err: /--config/ })
})
