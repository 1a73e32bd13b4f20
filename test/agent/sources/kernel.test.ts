import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { kernel, parseNumbers } from '../../../agent/sources/kernel.ts'
import { Place } from '../../../core/shape.ts'
import { bearsDamage } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'kernel')
sourceContract(t, kernel, folder)

const defaults = kernel.options.read({}, new Place())
const recordings = ['1137\t0\t2466186\n', '1024\t0\t9223372036854775807\n'].map(text => Buffer.from(text))
bearsDamage(t, 'file-nr', recordings, bytes => parseNumbers('file-nr', bytes, 3))

t.test('the kernel’s largest number is no limit, and no other so large is a number', async t => {
  t.strictSame(parseNumbers('file-nr', Buffer.from('7 0 9223372036854775807\n'), 3), [7, 0, undefined])
  t.throws(
    () => parseNumbers('file-nr', Buffer.from('7 0 9223372036854775808\n'), 3),
    /^file-nr: expected a number below/,
  )
  t.throws(() => parseNumbers('file-nr', Buffer.from('7 0\n'), 3), /^file-nr: expected a number at byte 3/)
})

const boots = async (t: Test, keep = memoryKeep(), boot?: string) => {
  const { root, host } = machine(t, join(folder, 'rebooted'))
  if (boot !== undefined) writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), `${boot}\n`)
  const made = await readings(kernel, defaults, host, 3, () => {}, keep)
  return made.flatMap(r => r.events.map(e => e.name))
}
const another = '11111111-2222-3333-4444-555555555555'

t.test('a boot is told once, over restarts of the agent too, and the first one seen is no news', async t => {
  const keep = memoryKeep()
  t.strictSame(await boots(t, keep), [], 'the first')
  t.strictSame(await boots(t, keep), [], 'the agent was restarted')
  t.strictSame(await boots(t, keep, another), ['system.boot'], 'the host was')
  t.strictSame(await boots(t, keep, another), [])
})

t.test('a boot that could not be handed on is told by the next agent', async t => {
  const keep = memoryKeep()
  await boots(t, keep)
  const { root, host } = machine(t, join(folder, 'rebooted'))
  writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), `${another}\n`)
  const stop = new AbortController()
  const running = kernel.open(defaults, { name: 'kernel', host, say: () => {}, keep })
  const full = async (): Promise<void> => {
    stop.abort()
    throw new Error('the spool is full')
  }
  await running.run(full, stop.signal).catch(() => {})
  t.strictSame(await boots(t, keep, another), ['system.boot'])
})

t.test('what was kept and cannot be read counts as nothing', async t => {
  for (const text of ['', '{', '{"id":7}', '{"id":"x","kernel":null}']) {
    t.strictSame(await boots(t, memoryKeep(text)), [])
  }
})
