import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import t from 'tap'
import { log, troubles } from '../../core/log.ts'

function lines(journal = false): { said: string[]; say: ReturnType<typeof log> } {
  const said: string[] = []
  return { said, say: log(journal, line => said.push(line)) }
}

t.test('a message is one line: severity, text, fields', async t => {
  const { said, say } = lines()
  say('warning', 'spool is full', { bytes: 42, cause: 'no "space" left', empty: '' })
  t.strictSame(said, ['warning spool is full bytes=42 cause="no \\"space\\" left" empty=""\n'])
})

t.test('no text can forge a second line or steer the terminal', async t => {
  const { said, say } = lines()
  say('info', 'one\nerror two \u001b[2J', { name: 'a\nb', other: 'x\u2028y' })
  t.strictSame(said, ['info one\\nerror two \\u001b[2J name="a\\nb" other="x\\u2028y"\n'])
})

t.test('secrets are never written', async t => {
  const { said, say } = lines()
  say('info', 'connecting to mqtts://me:hunter2@broker:8883', { password: 'hunter2', url: 'http://u:hunter2@h/' })
  t.notMatch(said.join(), /hunter2/)
  t.match(said.join(), 'mqtts://***@broker:8883 password=*** url=http://***@h/')
  const other = lines()
  other.say('info', 'x', { password_file: '/etc/p' })
  t.match(other.said.join(), 'password_file=/etc/p')
})

t.test('in the journal the severity is the priority prefix', async t => {
  const { said, say } = lines(true)
  for (const severity of ['info', 'warning', 'error', 'critical'] as const) say(severity, 'x')
  t.strictSame(said, ['<6>x\n', '<4>x\n', '<3>x\n', '<2>x\n'])
})

t.test('the journal is recognised by the stream that JOURNAL_STREAM names, not by the variable alone', async t => {
  const file = `${t.testdir()}/stderr`
  const module = new URL('../../core/log.ts', import.meta.url).href
  const said = (stream: (fd: number) => string): string => {
    const fd = openSync(file, 'w')
    const script = `import { log } from ${JSON.stringify(module)}; log()('error', 'x')`
    const env = { ...process.env, JOURNAL_STREAM: stream(fd) }
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, stdio: ['ignore', 'ignore', fd] })
    closeSync(fd)
    return readFileSync(file, 'utf8')
  }
  t.equal(
    said(fd => `${fstatSync(fd).dev}:${fstatSync(fd).ino}`),
    '<3>x\n',
  )
  t.equal(
    said(() => '1:1'),
    'error x\n',
  )
})

t.test('a reader of stderr that went away does not end the daemon', async t => {
  const module = new URL('../../core/log.ts', import.meta.url).href
  const script = `import { log } from ${JSON.stringify(module)}
    for await (const _ of process.stdin);
    log()('error', 'nobody reads this')
    console.log('lives')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  child.stderr.destroy()
  await once(child.stderr, 'close')
  child.stdin.end('go')
  t.equal(String(Buffer.concat(await child.stdout.toArray())), 'lives\n')
})

t.test('a trouble is said when it begins, when it changes and when it is over', async t => {
  const { said, say } = lines()
  const trouble = troubles(say)
  for (const what of [undefined, 'disk full', 'disk full', 'read-only', undefined, undefined]) trouble('spool', what)
  trouble('uplink', 'gone', { tries: 3 })
  t.strictSame(said, [
    'warning spool: disk full\n',
    'warning spool: read-only\n',
    'info spool: works again\n',
    'warning uplink: gone tries=3\n',
  ])
})
