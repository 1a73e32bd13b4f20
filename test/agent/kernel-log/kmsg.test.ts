import { spawnSync } from 'node:child_process'
import { accessSync, constants, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { openKmsg, parseBootId, parseKmsg } from '../../../agent/kernel-log/kmsg.ts'
import type { Entry } from '../../../agent/kernel-log/line.ts'
import type { Records } from '../../../core/host.ts'
import { realHost } from '../../../core/host.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'

const boot = '6c3e0d5e-6f0b-4c53-9a38-5f3e2b9f9d11'

t.test('a record has a level, a number, a time, a text and a device', async t => {
  const told = parseKmsg(
    Buffer.from('30,339,5140900,-,caller=T1;NVRM: caf\\xc3\\xa9; a\\x0ab\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n'),
  )
  t.strictSame(told, [
    {
      seq: 339,
      microseconds: 5140900,
      level: 6,
      facility: 3,
      text: 'NVRM: café; a\nb',
      device: '+pci:0000:00:01.0',
    },
  ])
})

t.test('what is not a record is an error that names the file', async t => {
  for (const bad of ['', '\n', 'x\n', '6,1,2,-;cut', '6,1,2;no flags', '6,,2,-;x\n', '-1,1,2,-;x\n', '6,1,2,-\n']) {
    t.throws(() => parseKmsg(Buffer.from(bad)), /\/dev\/kmsg: /, JSON.stringify(bad))
  }
  t.throws(() => parseBootId(Buffer.from('1\n')), /boot_id: not a UUID/)
})

t.test('damaged records are an error or records, never anything else', async t => {
  const random = seeded(t)
  const whole = Buffer.from('6,339,5140900,-;NET: Registered\n SUBSYSTEM=net\n DEVICE=n2\n')
  for (let n = 0; n < 3000; n++) {
    const bytes = Buffer.from(whole.subarray(0, random.below(whole.length + 1)))
    for (let k = random.below(4); k > 0 && bytes.length > 0; k--) bytes[random.below(bytes.length)] = random.below(256)
    try {
      for (const { seq, level } of parseKmsg(bytes)) t.ok(seq >= 0 && level >= 0 && level <= 7)
    } catch (error) {
      if (!/\/dev\/kmsg: /.test(String(error))) t.fail(String(error))
    }
  }
})

/** A ring that gives what is pushed. */
function ring() {
  const waiting: (string | 'overwritten')[] = []
  const next: Records['next'] = () => {
    const record = waiting.shift()
    return record === undefined || record === 'overwritten' ? record : Buffer.from(record)
  }
  const put = (seq: number, seconds: number, text = `message ${seq}`): void =>
    void waiting.push(`6,${seq},${seconds * 1e6},-;${text}\n`)
  return { waiting, put, records: (): Records => ({ next, close: () => {} }) }
}

function machineWith(t: Test, records: () => Records) {
  const host = fakeHost(
    t.testdir({ proc: { uptime: '100.00 5.00\n', sys: { kernel: { random: { boot_id: `${boot}\n` } } } } }),
  )
  return { ...host, records }
}

t.test('messages are dated by the clock of the boot, and are never older than the reading before', async t => {
  const { put, records } = ring()
  const host = machineWith(t, records)
  const log = openKmsg(host, undefined, t.fail)!
  put(1, 40)
  const [old] = await log.read(10, AbortSignal.abort())
  t.equal(old?.line.time, host.now() - 60_000, '60 s ago')
  const before = host.now()
  host.pass(1000)
  // The ring's clock stood still for a minute of sleep.
  put(2, 41)
  const [fresh] = await log.read(10, AbortSignal.abort())
  t.equal(fresh?.line.time, before)
})

t.test('what was read before a restart is not told again; what was overwritten meanwhile is counted', async t => {
  const { put, waiting, records } = ring()
  const host = machineWith(t, records)
  for (const seq of [5, 6, 7]) put(seq, 1)
  const seqs = (entries: readonly Entry[]) => entries.map(e => e.place.seq)
  t.strictSame(seqs(await openKmsg(host, { boot, seq: 6 }, t.fail)!.read(10, AbortSignal.abort())), [7])
  for (const seq of [5, 6]) put(seq, 1)
  const other = { boot: boot.replace('6', '7'), seq: 6 }
  t.strictSame(seqs(await openKmsg(host, other, t.fail)!.read(10, AbortSignal.abort())), [5, 6], 'another boot')
  const log = openKmsg(host, { boot, seq: 6 }, t.fail)!
  put(7, 1)
  waiting.push('overwritten')
  put(20, 2)
  t.strictSame(seqs(await log.read(10, AbortSignal.abort())), [7, 20])
  t.equal(log.lost, 12)
})

t.test('a ring that always says it was overwritten does not hold up the agent', async t => {
  const host = machineWith(t, () => ({ next: () => 'overwritten', close: () => {} }))
  t.strictSame(await openKmsg(host, undefined, t.fail)!.read(10, AbortSignal.abort()), [])
})

t.test('at most so many are read at once, and what is no record is said', async t => {
  const { put, waiting, records } = ring()
  for (let seq = 0; seq < 10; seq++) put(seq, 1)
  waiting.splice(4, 0, 'nonsense\n')
  const said: string[] = []
  const log = openKmsg(machineWith(t, records), undefined, what => said.push(what))!
  t.equal((await log.read(6, AbortSignal.abort())).length, 6)
  t.equal((await log.read(6, AbortSignal.abort())).length, 4)
  t.match(said, [/not a record: "nonsense/])
})

t.test('the ring of this machine is read without waiting, and what is written to it comes', async t => {
  if (!usable()) return t.plan(0, '/dev/kmsg cannot be written: run as root on a machine that has it')
  const log = openKmsg(realHost(), undefined, t.fail)!
  const all: Entry[] = []
  const drain = async (): Promise<void> => {
    for (
      let more = await log.read(1000, AbortSignal.abort());
      more.length > 0;
      more = await log.read(1000, AbortSignal.abort())
    )
      all.push(...more)
  }
  await drain()
  const before = all.length
  const text = `fieldline test ${process.pid} ${Date.now()}`
  writeFileSync('/dev/kmsg', `${text}\n`)
  await drain()
  const found = all.slice(before).filter(e => e.line.text === text)
  t.equal(found.length, 1)
  t.ok(Math.abs(found[0]!.line.time - Date.now()) < 60_000)
  const resumed = openKmsg(realHost(), found[0]!.place, t.fail)!
  t.notOk(
    (await resumed.read(1000, AbortSignal.abort())).some(e => e.line.text === text),
    'read before',
  )
  log.close()
  resumed.close()
})

function usable(): boolean {
  try {
    accessSync('/dev/kmsg', constants.R_OK | constants.W_OK)
    return spawnSync('head', ['-c', '1', '/dev/kmsg'], { timeout: 1000 }).error === undefined
  } catch {
    return false
  }
}
