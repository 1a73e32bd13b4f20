import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { build } from '../../packaging/build.ts'

// Outside of this tree, so that nothing of node_modules can be found from there.
const folder = mkdtempSync(join(tmpdir(), 'fieldline-build-'))
const dist = join(folder, 'dist')
t.teardown(() => rmSync(folder, { recursive: true }))
t.before(() => build(dist))

const run = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(dist, 'fieldline.js'), ...args], { cwd: folder, timeout: 30_000 })

t.test('the build runs alone', async t => {
  t.match(await run('--version'), { stdout: /^fieldline \d/, stderr: '' })
  t.match(await run('test', 'memory'), { stdout: /system\.memory\.usage/ })
})

t.test('the build checks a configuration of each daemon, with all their sources and uplinks', async t => {
  for (const daemon of ['agent', 'gateway', 'collector']) {
    const file = new URL(`../../packaging/config/${daemon}.yaml`, import.meta.url).pathname
    t.match(await run('check', file), { stdout: /: right, for / })
  }
})

t.test('the build finds the device templates that come with it', async t => {
  const file = join(folder, 'templates.yaml')
  const source = (name: string) => `{ type: modbus, name: ${name}, url: "modbus-tcp://192.0.2.1", template: ${name} }`
  const sources = ['sdm630', 'altivar-320', 'sunspec'].map(name => `  - ${source(name)}\n`).join('')
  writeFileSync(file, `daemon: gateway\nuplinks: []\nsources:\n${sources}`)
  t.match(await run('check', file), { stdout: /right, for a gateway with 3 sources/ })
})

t.test('every package that a daemon loads when it is needed is in the build, under its names', async t => {
  const script = `const all = await Promise.all((await import('node:fs')).readdirSync('.')
    .filter(f => f.endsWith('.mjs') && f !== 'main.mjs').map(f => import('./' + f)))
    console.log(['MqttClient', 'LinuxBinding'].map(name => all.some(m => m[name] !== undefined)).join())`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: dist })
  t.equal(stdout, 'true,true\n')
})

t.test('it holds two native files, the page, and nothing of node_modules', async t => {
  const files = readdirSync(dist)
  t.strictSame(files.filter(f => f.endsWith('.node')).toSorted(), [
    `@serialport+bindings-cpp.${process.arch === 'arm64' ? 'armv8.' : ''}glibc.node`,
    `linux-${process.arch}.node`,
  ])
  t.ok(files.includes('web'))
  t.notOk(files.includes('node_modules'))
})

t.test('building again leaves nothing of the build before', async t => {
  const before = readdirSync(dist).toSorted()
  await build(dist)
  t.strictSame(readdirSync(dist).toSorted(), before)
})
