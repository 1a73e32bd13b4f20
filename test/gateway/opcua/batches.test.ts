import t from 'tap'
import { inBatches } from '../../../gateway/opcua/batches.ts'

const all = Array.from({ length: 100 }, (_, n) => n)

t.test('a server is asked for as many as it says, and gets fewer where it refuses that after all', async t => {
  const sizes: number[] = []
  const call = async (some: readonly number[]): Promise<readonly number[]> => {
    sizes.push(some.length)
    if (some.length > 20) throw new Error('serviceResult = BadTooManyOperations (0x80100000)')
    return some.map(n => 2 * n)
  }
  t.strictSame(
    await inBatches(all, 70, call),
    all.map(n => 2 * n),
  )
  t.strictSame(sizes, [70, 35, 18, 17, 35, 18, 17, 30, 15, 15])
})

t.test('what it refuses for another reason, or one by one, is refused', async t => {
  const refusing = (text: string) => inBatches(all, 50, async () => Promise.reject(new Error(text)))
  await t.rejects(refusing('BadSessionIdInvalid'), { message: 'BadSessionIdInvalid' })
  await t.rejects(refusing('BadTooManyOperations'), { message: 'BadTooManyOperations' })
})
