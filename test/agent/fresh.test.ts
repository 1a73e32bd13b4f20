import t from 'tap'
import { Fresh } from '../../agent/fresh.ts'

const [one, two] = [Buffer.from('payload 1'), Buffer.from('payload 2')]

t.test('the newest bytes are at hand by their payload, whatever became of where they came from', async t => {
  const fresh = new Fresh()
  t.equal(fresh.get(one), undefined)
  t.equal(fresh.get(Buffer.alloc(0)), undefined)
  const bytes = Buffer.from('longer bytes')
  fresh.put(one, bytes)
  bytes.fill(0)
  t.equal(Buffer.from(fresh.get(Buffer.from(one))!).toString(), 'longer bytes')
  fresh.put(two, Buffer.from('short'))
  t.equal(fresh.get(one), undefined)
  t.equal(Buffer.from(fresh.get(two)!).toString(), 'short')
})

t.test('what is too large for a base is not kept, and takes nothing away', async t => {
  const fresh = new Fresh()
  fresh.put(one, two)
  fresh.put(Buffer.alloc(40_000), two)
  fresh.put(two, Buffer.alloc(200_000))
  t.ok(fresh.get(one))
  t.equal(fresh.get(two), undefined)
})
