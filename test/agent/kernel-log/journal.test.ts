import t from 'tap'
import { kernelMessages, openJournal, parseEntry } from '../../../agent/kernel-log/journal.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'

const entry = {
  __CURSOR: 's=1;i=2',
  __REALTIME_TIMESTAMP: '1735689000123456',
  _BOOT_ID: '0f51',
  PRIORITY: '3',
  SYSLOG_FACILITY: '0',
  _KERNEL_DEVICE: '+pci:0000:00:01.0',
  MESSAGE: 'sda is gone',
}

t.test('an entry is a line and the cursor behind it', async t => {
  t.strictSame(parseEntry(JSON.stringify(entry)), {
    line: { time: 1735689000123, level: 3, facility: 0, text: 'sda is gone', device: '+pci:0000:00:01.0' },
    place: { boot: '0f51', cursor: 's=1;i=2' },
  })
  t.equal(parseEntry(''), undefined)
  t.equal(parseEntry(JSON.stringify({ ...entry, MESSAGE: [195, 169] }))?.line.text, 'é')
  t.equal(parseEntry(JSON.stringify({ ...entry, MESSAGE: null }))?.line.text, '')
  const written = { ...entry, SYSLOG_FACILITY: '1', SYSLOG_IDENTIFIER: 'NVRM', MESSAGE: 'Xid' }
  t.equal(parseEntry(JSON.stringify(written))?.line.text, 'NVRM: Xid')
  t.equal(parseEntry(JSON.stringify({ ...written, SYSLOG_FACILITY: '0' }))?.line.text, 'Xid')
  t.equal(parseEntry(JSON.stringify({ ...entry, PRIORITY: 'x' }))?.line.level, 6)
})

t.test('what is not an entry is an error that names the program', async t => {
  const random = seeded(t)
  const times = ['-1', '.735689000123456', '1e15', '0000123', ''].map(time =>
    JSON.stringify({ ...entry, __REALTIME_TIMESTAMP: time }),
  )
  for (const bad of ['{', '[]', 'null', '"x"', '{}', ...times]) {
    t.throws(() => parseEntry(bad), /^journalctl: |: journalctl: |journalctl: /, bad)
  }
  const whole = JSON.stringify(entry)
  for (let n = 0; n < 2000; n++) {
    const text = random.damage(whole)
    try {
      const made = parseEntry(text)
      if (made !== undefined) t.ok(made.line.time > 0 && made.line.level <= 7)
    } catch (error) {
      if (!/journalctl: /.test(String(error))) t.fail(String(error))
    }
  }
})

t.test('pieces cut anywhere make whole entries, at most so many at once, and what is left waits', async t => {
  const random = seeded(t)
  const lines = Array.from(
    { length: 20 },
    (_, n) => `${JSON.stringify({ ...entry, __CURSOR: `s=${n}`, MESSAGE: `é ${n}` })}\n`,
  )
  const all = Buffer.from(lines.join(''))
  async function* cut() {
    for (let at = 0; at < all.length; ) {
      const to = at + 1 + random.below(200)
      yield all.subarray(at, to)
      at = to
    }
    await new Promise(() => {})
  }
  const asked: (readonly string[])[] = []
  const host = {
    ...fakeHost(t.testdir({})),
    // Longer than everything that comes takes.
    sleep: async () => void (await new Promise(resolve => setTimeout(resolve, 100))),
    stream: (_: string, args: readonly string[]) => {
      asked.push(args)
      return cut()
    },
  }
  const log = openJournal(host, kernelMessages({ boot: '0f51', cursor: 's=x' }), new AbortController().signal, t.fail)!
  t.ok(asked[0]!.includes('--after-cursor=s=x') && !asked[0]!.includes('-b'))
  const read = async () => (await log.read(12, new AbortController().signal)).map(e => e.line.text)
  t.strictSame(
    [...(await read()), ...(await read())],
    Array.from({ length: 20 }, (_, n) => `é ${n}`),
  )
  log.close()
})

t.test(
  'without the program there is no journal; when it ends that is an error, and what it said before counts',
  async t => {
    t.equal(openJournal(fakeHost(t.testdir({})), [], new AbortController().signal, t.fail), undefined)
    async function* ends() {
      yield Buffer.from(`${JSON.stringify(entry)}\n`)
    }
    const host = { ...fakeHost(t.testdir({})), stream: () => ends() }
    const log = openJournal(host, kernelMessages(undefined), new AbortController().signal, t.fail)!
    const { signal } = new AbortController()
    t.equal((await log.read(10, signal)).length, 1)
    await t.rejects(log.read(10, signal), /journalctl: ended by itself/)
  },
)
