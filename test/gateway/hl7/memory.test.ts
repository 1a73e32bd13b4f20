// What the mapper remembers, and when it is written.

import t from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { type Draft, openMemory } from '../../../gateway/hl7/memory.ts'
import { received } from './ward.ts'

interface Counted {
  readonly keep: Keep
  saves: number
  failing: boolean
}

function counted(): Counted {
  const keep = memoryKeep()
  const here: Counted = {
    saves: 0,
    failing: false,
    keep: {
      ...keep,
      save(text) {
        if (here.failing) throw new Error('the disk is full')
        here.saves++
        keep.save(text)
      },
    },
  }
  return here
}

const admit = (draft: Draft, bed: string): void => draft.beds.set(bed, [{ patient: `p-${bed}`, from: received }])

t.test('all that is committed at one moment is one save, and what changed nothing is none', async t => {
  const here = counted()
  const memory = openMemory(here.keep)
  const drafts = ['a', 'b', 'c'].map(bed => {
    const draft = memory.draft(received)
    admit(draft, bed)
    return draft
  })
  await Promise.all(drafts.map(draft => draft.commit()))
  t.equal(here.saves, 1)
  t.same(openMemory(here.keep).draft(received).beds.get('c'), [{ patient: 'p-c', from: received }])
  const same = memory.draft(received)
  admit(same, 'b')
  same.told.set('value|x', 'sentinel')
  await same.commit()
  t.equal(here.saves, 1)
})

t.test('a save that fails is owed: no later message is acknowledged without it', async t => {
  const here = counted()
  const memory = openMemory(here.keep)
  const first = memory.draft(received)
  admit(first, 'a')
  here.failing = true
  await t.rejects(first.commit(), /the disk is full/)
  await t.rejects(memory.draft(received).commit(), /the disk is full/)
  here.failing = false
  await memory.draft(received).commit()
  t.same(openMemory(here.keep).draft(received).beds.get('a'), [{ patient: 'p-a', from: received }])
})

t.test('a draft sees what those before it hold, until they are dropped', async t => {
  const memory = openMemory(memoryKeep())
  const [first, second] = [memory.draft(received), memory.draft(received)]
  first.told.set('x', 'first')
  t.equal(second.told.get('x'), 'first')
  second.told.delete('x')
  const third = memory.draft(received)
  t.equal(third.told.get('x'), undefined)
  second.drop()
  t.equal(third.told.get('x'), 'first')
  first.drop()
  t.equal(third.told.get('x'), undefined)
})

t.test('a device’s place is durable when it is new, and one that has become wrong is gone at once', async t => {
  const here = counted()
  const memory = openMemory(here.keep)
  const stand = async (bed: string, time: number): Promise<void> => {
    const draft = memory.draft(time)
    draft.devices.set('pump', { bed, from: time, ...(here.saves > 0 && { since: time }) })
    await draft.commit()
  }
  const kept = (): string | undefined => openMemory(here.keep).draft(received).devices.get('pump')?.bed
  await stand('1', received)
  t.equal(kept(), '1')
  await stand('2', received + 1000)
  t.same([kept(), here.saves], [undefined, 2])
  for (let n = 0; n < 100; n++) await stand(String(n), received + 2000 + n)
  t.equal(here.saves, 2, 'one that moves with every message costs nothing more')
  await memory.draft(received + 200_000).commit()
  t.same([kept(), here.saves], ['99', 3], 'when it has stood still it is kept again')
})

t.test('a damaged file is as good as none', async t => {
  for (const text of ['', '{', 'null', '{"beds":5}', '{"beds":[7]}'])
    t.equal(openMemory(memoryKeep(text)).draft(received).beds.get('a'), undefined, text)
})
