import t from 'tap'
import { type House, housekeeping } from '../../collector/housekeeping.ts'
import { until } from '../brokers.ts'

/** A house where only compaction has anything to do. */
function houseWith(compact: (budget: number) => number): House {
  const nothing = {
    retain: () => false,
    tick: () => {},
    deaf: () => {},
  }
  const parts = {
    history: { ...nothing, compact },
    records: nothing,
    judging: nothing,
    incidents: nothing,
    intake: nothing,
    view: nothing,
  }
  const rest = { mqtt: undefined, retention: { age: 1, max_bytes: 1 }, say: () => {}, now: () => 0 }
  return { ...parts, ...rest } as unknown as House
}

t.test('compaction that fell behind catches up without waiting a second for each slice', async t => {
  let slices = 0
  const house = housekeeping(houseWith(budget => (++slices < 100 ? budget : 0)))
  t.teardown(() => house.close())
  await until('all is compacted', () => slices >= 100)
  t.equal(slices, 100)
})

t.test('compaction that fails is said once and tried again', async t => {
  const said: string[] = []
  let tries = 0
  const house = houseWith(() => {
    tries++
    throw new Error('disk full')
  })
  const { close } = housekeeping({ ...house, say: (_, message) => said.push(message) })
  t.teardown(close)
  await until('it was tried twice', () => tries >= 2)
  t.equal(said.length, 1)
  t.match(said[0], /disk full/)
})
