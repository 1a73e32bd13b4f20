import t from 'tap'
import { type Receipt, readReceipt } from '../../core/receipt.ts'

t.test('a receipt survives the wire', async t => {
  const receipts: readonly Receipt[] = [
    { stream: 's.metrics.1', watermark: 0 },
    { stream: 's.metrics.1', watermark: 7, refused: [{ seq: 7, reason: 'why' }] },
    { stream: 's.metrics.1', watermark: 7, resend: true, retry_after: 100 },
    { stream: 's.metrics.1', watermark: 7, base: 7 },
    { stream: 's.metrics.1', watermark: 0, base: 0 },
  ]
  for (const receipt of receipts) t.strictSame(readReceipt(JSON.stringify(receipt)), receipt)
})

const wrong = [
  '',
  'null',
  '[]',
  '{"stream":"s"}',
  '{"stream":1,"watermark":1}',
  '{"stream":"s","watermark":-1}',
  '{"stream":"s","watermark":1.5}',
  '{"stream":"s","watermark":1e300}',
  '{"stream":"s","watermark":1,"refused":{}}',
  '{"stream":"s","watermark":1,"refused":[1]}',
  '{"stream":"s","watermark":1,"refused":[{"seq":"1"}]}',
]
for (const json of wrong) {
  t.test(`${json} is no receipt`, async t => t.throws(() => readReceipt(json), { name: 'Refused' }))
}
