import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { clock, parseClocksource, parseSynchronized } from '../../../agent/sources/clock.ts'
import type { Event } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

sourceContract(t, clock, join(import.meta.dirname, 'clock'))

const defaults = clock.options.read({}, new Place())
const told = (readings: readonly { readonly events: readonly Event[] }[]) =>
  readings.map(r => r.events.map(e => [e.name, (e.body as { seconds: number }).seconds]))

t.test('a step is told with its size, forwards and backwards, and counted', async t => {
  const host = fakeHost(t.testdir({}))
  let n = 0
  const made = await readings(clock, defaults, host, 5, () => host.step([0, 3600_000, -50, 5][n++] ?? 0))
  t.strictSame(told(made), [[], [], [['system.clock.step', 3600]], [['system.clock.step', -0.05]], []])
  t.strictSame(
    made.map(r => Object.values(r.values)[0]),
    [undefined, 0, 1, 2, 2],
  )
})

t.test('a machine that slept has not been set, and one that was set while it slept has', async t => {
  const root = t.testdir({ proc: { uptime: '100.00 1.00\n' } })
  const host = fakeHost(root)
  let [n, uptime] = [0, 100]
  const made = await readings(clock, defaults, host, 3, () => {
    // 10 s until the next reading, an hour of sleep, and the second time a clock that lost two minutes meanwhile.
    uptime += 10 + 3600
    writeFileSync(join(root, 'proc/uptime'), `${uptime.toFixed(2)} 1.00\n`)
    host.step(3600_000 - (n++ === 1 ? 120_000 : 0))
  })
  t.strictSame(told(made), [
    [],
    [['system.clock.sleep', 3600]],
    [
      ['system.clock.sleep', 3600],
      ['system.clock.step', -120],
    ],
  ])
})

t.test('clocks that cannot be read at one moment tell nothing', async t => {
  const host = fakeHost(t.testdir({}))
  const now = (): number => {
    host.pass(50)
    return host.now()
  }
  const made = await readings(clock, defaults, { ...host, now }, 3)
  t.strictSame(told(made), [[], [], []])
  t.strictSame(
    made.map(r => r.values),
    [{}, {}, {}],
  )
})

t.test('what is not as expected is an error that names its origin', async t => {
  for (const bad of ['', 'tsc', '1\n', 'a b\n', 'x\ny\n'])
    t.throws(() => parseClocksource(Buffer.from(bad)), /current_clocksource/)
  for (const bad of ['', 'NTPSynchronized=\n', 'NTP=yes\n'])
    t.throws(() => parseSynchronized(Buffer.from(bad)), /timedatectl/)
})

t.test('without systemd nobody knows whether the clock is synchronized', async t => {
  const run = async () => ({ status: 1, stdout: Buffer.alloc(0), stderr: 'System has not been booted with systemd' })
  const [reading] = await readings(clock, defaults, { ...fakeHost(t.testdir({})), run }, 1)
  t.strictSame([reading!.success, reading!.values, reading!.said], [true, {}, []])
})
