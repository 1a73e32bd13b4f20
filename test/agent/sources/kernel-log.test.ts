import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { kernelLog } from '../../../agent/sources/kernel-log.ts'
import type { Host, Records } from '../../../core/host.ts'
import type { Event } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

sourceContract(t, kernelLog, join(import.meta.dirname, 'kernel-log'))

const defaults = kernelLog.options.read({}, new Place())
const boot = {
  proc: { uptime: '100.00 5.00\n', sys: { kernel: { random: { boot_id: '6c3e0d5e-6f0b-4c53-9a38-5f3e2b9f9d11\n' } } } },
}

/** A machine whose ring has these messages, one second apart; numbered from 1. */
function ringOf(t: Test, messages: readonly string[]): Host {
  const records = (): Records => {
    const waiting = messages.map((text, n) => Buffer.from(`4,${n + 1},${n + 1}000000,-;${text}\n`))
    return { next: () => waiting.shift(), close: () => {} }
  }
  return { ...fakeHost(t.testdir(boot)), records }
}

const oom = (pid: number): string =>
  `Out of memory: Killed process ${pid} (victim${pid}) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, UID:1`
const names = (events: readonly Event[]): readonly string[] =>
  events.map(e => String((e.body as { process: string }).process))

t.test('after a restart what was told is not told again, and nothing is left out', async t => {
  const keep = memoryKeep()
  const messages = [oom(1), oom(2)]
  const [first] = await readings(kernelLog, defaults, ringOf(t, messages), 2, () => {}, keep)
  t.strictSame(names(first!.events), ['victim1', 'victim2'])
  messages.push(oom(3))
  const [second] = await readings(kernelLog, defaults, ringOf(t, messages), 1, () => {}, keep)
  t.strictSame(names(second!.events), ['victim3'])
})

t.test('what could not be handed on is told after a restart', async t => {
  const keep = memoryKeep()
  const at = { name: 'kernel-log', host: ringOf(t, [oom(1)]), say: () => {}, keep }
  const stop = new AbortController()
  await kernelLog.open(defaults, at).run(async () => {
    stop.abort()
    throw new Error('the spool is full')
  }, stop.signal)
  t.equal(keep.load(), undefined)
  const [reading] = await readings(kernelLog, defaults, ringOf(t, [oom(1)]), 1, () => {}, keep)
  t.strictSame(names(reading!.events), ['victim1'])
})

t.test('a log without news is not saved at every reading', async t => {
  let saves = 0
  const keep = { ...memoryKeep(), save: () => void saves++ }
  await readings(kernelLog, defaults, ringOf(t, ['systemd[1]: Started.']), 50, () => {}, keep)
  t.equal(saves, 2, 'at first and at the end')
})

t.test('a damaged memory is none', async t => {
  for (const text of ['{', '[]', 'null', '{"place":7,"flood":[1],"gpus":{},"interpreter":[null]}']) {
    const [reading] = await readings(kernelLog, defaults, ringOf(t, [oom(1)]), 1, () => {}, memoryKeep(text))
    t.strictSame(names(reading!.events), ['victim1'], text)
  }
})

t.test('events are chosen by name', async t => {
  const options = kernelLog.options.read({ exclude: ['kernel.oom*'] }, new Place())
  const [reading] = await readings(kernelLog, options, ringOf(t, [oom(1)]), 1)
  t.strictSame([reading!.events, reading!.values], [[], {}])
})
