import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { gatherReceipts } from '../../../collector/ingest/receipts.ts'
import type { Receipt } from '../../../core/receipt.ts'

function gather() {
  const sent: [string, Receipt][] = []
  return { sent, receipts: gatherReceipts((node, receipt) => void sent.push([node, receipt])) }
}

const stream = 's.metrics.1'

t.test('receipts of one stream in one turn travel as one, of others apart', async t => {
  const { sent, receipts } = gather()
  receipts.answer('a', 1, { stream, watermark: 1 })
  receipts.answer('a', 2, { stream, watermark: 2 })
  receipts.answer('b', 9, { stream, watermark: 9 })
  receipts.answer('a', 1, { stream: 's.events.1', watermark: 1 })
  t.strictSame(sent, [])
  await turn()
  t.strictSame(sent, [
    ['a', { stream, watermark: 2 }],
    ['b', { stream, watermark: 9 }],
    ['a', { stream: 's.events.1', watermark: 1 }],
  ])
})

t.test('what one of them refused or asked for is not forgotten', async t => {
  const { sent, receipts } = gather()
  receipts.answer('a', 1, { stream, watermark: 1, refused: [{ seq: 1, reason: 'one' }] })
  receipts.answer('a', 2, { stream, watermark: 0, retry_after: 100 })
  receipts.answer('a', 3, { stream, watermark: 0, refused: [{ seq: 3, reason: 'three' }], retry_after: 50 })
  await turn()
  const refused = [
    { seq: 1, reason: 'one' },
    { seq: 3, reason: 'three' },
  ]
  t.strictSame(sent, [['a', { stream, watermark: 1, refused, retry_after: 100 }]])
})

t.test('a base that was taken up is told, whatever comes after it in the turn; a missing one too', async t => {
  const { sent, receipts } = gather()
  receipts.answer('a', 1, { stream, watermark: 1, base: 1 })
  receipts.answer('a', 2, { stream, watermark: 2 })
  await turn()
  receipts.answer('a', 3, { stream, watermark: 3, base: 3 })
  receipts.answer('a', 4, { stream, watermark: 0, base: 0 })
  await turn()
  t.strictSame(sent, [
    ['a', { stream, watermark: 2, base: 1 }],
    ['a', { stream, watermark: 3, base: 0 }],
  ])
})

t.test('a call to go back is sent once a round, and again when the edge went back and met a gap again', async t => {
  const { sent, receipts } = gather()
  const back: Receipt = { stream, watermark: 4, resend: true }
  for (const seq of [6, 7, 8]) {
    receipts.answer('a', seq, back)
    await turn()
  }
  t.strictSame(sent, [['a', back]])
  for (const seq of [6, 7]) {
    receipts.answer('a', seq, back)
    await turn()
  }
  t.equal(sent.length, 2)
  receipts.answer('a', 5, { stream, watermark: 5 })
  receipts.answer('a', 7, { stream, watermark: 5, resend: true })
  await turn()
  t.strictSame(sent.at(-1), ['a', { stream, watermark: 5, resend: true }])
})
