import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commands } from '../../core/host-command.ts'

const { run, stream } = commands(true)
const limits = { timeout: 5000 }
const never = new AbortController().signal

const gone = (pid: string): boolean => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid.trim()}/status`, 'utf8'))
  } catch {
    return true
  }
}
const ends = async (pid: string): Promise<void> => {
  while (!gone(pid)) await new Promise(resolve => setTimeout(resolve, 5))
}

t.test('what a program prints and how it ends is told, whatever its status', async t => {
  const output = await run('sh', ['-c', 'echo out; echo err >&2; exit 3'], limits)
  t.strictSame({ ...output, stdout: output?.stdout.toString() }, { status: 3, stdout: 'out\n', stderr: 'err' })
})

t.test('a program that is not installed is no data', async t => {
  t.equal(await run('no-such-program', [], limits), undefined)
  t.equal(await run('/no/such/program', [], limits), undefined)
  t.equal(stream('no-such-program', [], never), undefined)
})

t.test('nothing of the daemon reaches a program but a path and the C locale', async t => {
  process.env.FIELDLINE_SECRET = 'x'
  const output = await run('env', [], limits)
  t.match(output?.stdout.toString(), /^PATH=/m)
  t.notMatch(output?.stdout.toString(), /FIELDLINE|HOME/)
})

t.test('a program that hangs is killed in time, with all that it started', async t => {
  const folder = t.testdir({})
  const hang = `sleep 60 & echo $! > ${folder}/pid; wait`
  await t.rejects(run('sh', ['-c', hang], { timeout: 200 }), /sh -c sleep .*: no answer within 0.2 s/)
  await ends(readFileSync(`${folder}/pid`, 'utf8'))
})

t.test('a program that floods is killed', async t => {
  await t.rejects(run('yes', [], { timeout: 5000, maxBytes: 10_000 }), /yes: it printed more than 10000 bytes/)
})

t.test('an abort kills it, also one before the start', async t => {
  const stop = new AbortController()
  const asked = run('sleep', ['61'], { timeout: 60_000, signal: stop.signal })
  stop.abort()
  await t.rejects(asked, /stopped/)
  await t.rejects(run('sleep', ['62'], { timeout: 60_000, signal: AbortSignal.abort() }), /stopped/)
})

t.test('one question is asked once at a time', async t => {
  const first = run('sleep', ['0.3'], limits)
  await t.rejects(run('sleep', ['0.3'], limits), /not asked, as an earlier one still hangs/)
  t.equal((await first)?.status, 0)
  t.equal((await run('sleep', ['0.3'], limits))?.status, 0)
})

t.test('a stream gives its pieces as they come, and leaving it ends the program', async () => {
  let pid = ''
  for await (const piece of stream('sh', ['-c', 'echo $$; while :; do echo more; done'], never)!) {
    pid = piece.toString().split('\n', 1)[0]!
    break
  }
  await ends(pid)
})

t.test('a stream ends with its signal, and throws what a program said that failed', async t => {
  const stop = new AbortController()
  for await (const _ of stream('yes', [], stop.signal)!) stop.abort()
  const read = async (script: string): Promise<void> => {
    for await (const _ of stream('sh', ['-c', script], never)!);
  }
  await t.rejects(read('echo no device >&2; exit 9'), /ended with 9: no device/)
  await t.rejects(read('kill -9 $$'), /ended by SIGKILL$/)
})

t.test('a subcommand of this program runs as this program does, unless the root is another machine’s', async t => {
  const { argv } = process
  const script = join(t.testdir({ 'say.ts': 'console.log(process.argv.slice(2).join())' }), 'say.ts')
  process.argv = [argv[0]!, script]
  t.teardown(() => {
    process.argv = argv
  })
  const said = await commands(true).own(['check', '--resolved'], { timeout: 10_000 })
  t.equal(said?.stdout.toString(), 'check,--resolved\n')
  t.equal(await commands(false).own(['check'], { timeout: 10_000 }), undefined)
})

t.test('a stream that is told to stop ends although its program holds on, and is not started beside it', async t => {
  // In a group of its own it is out of reach, like one that the kernel holds.
  const folder = t.testdir({})
  const escaped = `setsid sh -c 'echo $$ > ${folder}/pid; echo up; exec sleep 60' & wait`
  const stop = new AbortController()
  for await (const _ of stream('sh', ['-c', escaped], stop.signal)!) stop.abort()
  const pid = readFileSync(`${folder}/pid`, 'utf8')
  t.equal(gone(pid), false, 'it still has the pipe')
  process.kill(Number(pid), 'SIGKILL')
  await ends(pid)
})
