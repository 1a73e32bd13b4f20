import t from 'tap'
import { backoff } from '../../core/backoff.ts'

t.test('pauses double up to the limit and start short again after a success', async t => {
  const pause = backoff({ min: 200, max: 15_000, random: () => 1 })
  const met = Array.from({ length: 9 }, () => pause.next())
  t.strictSame(met, [200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
  pause.reset()
  t.equal(pause.next(), 200)
})

t.test('chance shortens a pause by half at most', async t => {
  const pause = backoff({ min: 200, max: 400, random: () => 0 })
  t.strictSame([pause.next(), pause.next(), pause.next()], [100, 200, 200])
})
