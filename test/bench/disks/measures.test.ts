import t from 'tap'
import { measure, thresholdAt } from '../../../bench/disks/measures.ts'

t.test('perfect scores, no scores', async t => {
  const labels = Array.from({ length: 2000 }, (_, n) => (n < 20 ? 1 : 0))
  const perfect = measure(labels.map(Number), labels)
  t.strictSame(perfect, { auc: 1, ap: 1, recall_at_fpr_0_1: 1, recall_at_fpr_0_5: 1, recall_at_fpr_1: 1 })
  const none = measure(
    labels.map(() => 0),
    labels,
  )
  t.strictSame(none, { auc: 0.5, ap: 0.01, recall_at_fpr_0_1: 0, recall_at_fpr_0_5: 0, recall_at_fpr_1: 0 })
})

t.test('by hand: equal scores count half', async t => {
  const { auc, ap } = measure([3, 2, 2, 1], [1, 1, 0, 0])
  t.equal(auc, 3.5 / 4)
  t.equal(ap, (1 + 2 / 3) / 2)
})

t.test('the threshold is the quantile of those that live on', async t => {
  const negatives = Float64Array.from({ length: 1000 }, (_, n) => n)
  t.equal(thresholdAt(negatives, 0.01), 990)
  t.equal(thresholdAt(negatives, 0.001), 999)
})
