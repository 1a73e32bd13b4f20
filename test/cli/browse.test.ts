import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { simulator } from '../../gateway/opcua/simulator.ts'
import { fieldline } from './command.ts'

t.test('browse', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  const browse = (...args: readonly string[]) => fieldline(['browse', server.url, '--insecure', ...args])

  await t.test('what it saves is a right configuration with names, units and namespaces by URI', async t => {
    const file = join(t.testdir({}), 'line.yaml')
    t.match(await browse('--save', file), {
      status: 0,
      out: '',
      err: /11 variables among them\n(.|\n)*fieldline check/,
    })
    const text = readFileSync(file, 'utf8')
    t.match(text, 'name: line.tank.level, node: "nsu=urn:fieldline:simulated-line;s=Tank.Level", unit: "%" } # Double')
    t.match(
      text,
      'name: line.motor.speed, node: "nsu=urn:fieldline:simulated-line;s=Motor.Speed", unit: "{rotation}/min"',
    )
    t.match(text, /s=Motor\.Currents" \} # Float, array/)
    t.match(text, /s=Motor\.Nameplate" \} # ExtensionObject/)
    t.match(text, 'security: {"mode":"None"}')
    t.match(text, 'alarms: {}')
    t.match(text, /s=Motor\.Mode" \} # Int32/)
    t.match(await fieldline(['check', file]), { status: 0, out: /right, for a gateway with 1 source/ })
    t.match(await fieldline(['test', 'opcua', '--config', file]), { status: 0, out: /line\.tank\.level .* 40 {2}%/ })
  })

  await t.test('it begins below a node, and no deeper than told', async t => {
    const { out } = await browse('--from', 'nsu=urn:fieldline:simulated-line;s=Tank', '--depth', '1')
    t.match(out, 'name: level,')
    t.notMatch(out, 'Motor')
    const shallow = await browse('--depth', '1')
    t.match(shallow, { status: 0, err: /--depth goes deeper/, out: /nodes: \[\]/ })
  })

  await t.test('a file that is there is not touched', async t => {
    const file = join(t.testdir({ 'line.yaml': 'mine' }), 'line.yaml')
    t.match(await browse('--save', file), { status: 2, err: /exists already/ })
    t.equal(readFileSync(file, 'utf8'), 'mine')
  })

  await t.test(
    'without --insecure a server that nobody trusts is not spoken to, and the way to trust it is told',
    async t => {
      const certificates = join(t.testdir({}), 'pki')
      const { status, err } = await fieldline(['browse', server.url, '--certificates', certificates])
      t.equal(status, 1)
      t.match(err, /is not trusted; to trust it: mv '/)
      t.ok(existsSync(join(certificates, 'rejected')))
    },
  )

  await t.test('wrong words are told as such', async t => {
    t.match(await browse('--depth', 'x'), { status: 2, err: /--depth x: expected a whole number/ })
    t.match(await browse('--from', 'Tank'), { status: 2, err: /--from Tank: expected a node id/ })
    t.match(await fieldline(['browse', 'http://x']), { status: 2, err: /url: expected an address such as opc\.tcp/ })
    t.match(await browse('--from', 'ns=9;s=x'), { status: 0, err: /0 variables/ })
  })

  await t.test('in Chinese, too', async t => {
    const { err } = await fieldline(['browse', server.url, '--insecure'], { LC_ALL: 'zh_CN.UTF-8' })
    t.match(err, '个变量')
  })
})
