import t from 'tap'
import { sharedSleep } from '../../core/host-sleep.ts'

const never = new AbortController().signal

t.test('a sleep takes its time, and whoever waits for the same moment shares it', async t => {
  const now = 1000
  const sleep = sharedSleep(() => now)
  const began = performance.now()
  const first = sleep(40, never)
  t.equal(sleep(40, never), first)
  t.not(sleep(41, never), first)
  await first
  t.ok(performance.now() - began > 35)
  t.not(sleep(40, never), first, 'one that is over is not slept again')
})

t.test('an abort ends the sleeps of its signal alone, and none begins after it', async t => {
  const sleep = sharedSleep(() => 0)
  const stop = new AbortController()
  const other = sleep(30, never)
  const mine = sleep(3_600_000, stop.signal)
  stop.abort()
  await mine
  await sleep(3_600_000, stop.signal)
  t.not(other, mine)
  await other
})
