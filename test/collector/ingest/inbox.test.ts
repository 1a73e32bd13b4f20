import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Busy } from '../../../collector/ingest/gate.ts'
import { openInbox } from '../../../collector/ingest/inbox.ts'
import { Refused } from '../../../core/errors.ts'
import { envelope, inboxIn, names, noon } from './envelopes.ts'

const stream = 'spool00001.metrics.1'

t.test('what comes in order is committed and handed on in order', async t => {
  const { inbox, rows } = inboxIn(t.testdir())
  const receipts = await Promise.all([1, 2, 3].map(seq => inbox.offer(envelope(seq))))
  t.same(receipts, [
    { stream, watermark: 1 },
    { stream, watermark: 2 },
    { stream, watermark: 3 },
  ])
  await inbox.close()
  t.same(
    rows.map(r => [r.id, r.seq, r.received]),
    [
      [1, 1, noon],
      [2, 2, noon],
      [3, 3, noon],
    ],
  )
})

t.test('all that is offered in one turn is one transaction', async t => {
  let commits = 0
  const { inbox } = inboxIn(t.testdir(), {
    ready: async () => void commits++,
  })
  await Promise.all(Array.from({ length: 50 }, (_, n) => inbox.offer(envelope(n + 1))))
  await inbox.close()
  t.equal(commits, 1)
})

t.test('a duplicate is answered with the watermark and stores nothing', async t => {
  const { inbox, rows } = inboxIn(t.testdir())
  for (const seq of [1, 2]) await inbox.offer(envelope(seq))
  t.same(await inbox.offer(envelope(1)), { stream, watermark: 2 })
  await inbox.close()
  t.equal(rows.length, 2)
  t.equal(inbox.stats().duplicate_envelopes, 1)
})

t.test('a duplicate within one turn is seen too', async t => {
  const { inbox, rows } = inboxIn(t.testdir())
  await Promise.all([inbox.offer(envelope(1)), inbox.offer(envelope(1))])
  await inbox.close()
  t.equal(rows.length, 1)
})

t.test('what does not follow the watermark is sent back to it', async t => {
  const { inbox, rows } = inboxIn(t.testdir())
  await inbox.offer(envelope(1))
  t.same(await inbox.offer(envelope(3)), { stream, watermark: 1, resend: true })
  await inbox.close()
  t.equal(rows.length, 1)
})

t.test('what the edge gave up is skipped and counted as lost', async t => {
  const { inbox, rows } = inboxIn(t.testdir())
  await inbox.offer(envelope(1))
  t.same(await inbox.offer(envelope(5, { previous: 1 })), { stream, watermark: 5 })
  await inbox.close()
  t.same(
    rows.map(r => r.lost),
    [0, 3],
  )
  t.equal(inbox.stats().lost_envelopes, 3)
})

t.test('the same stream name of two nodes is two streams', async t => {
  const { inbox } = inboxIn(t.testdir())
  await inbox.offer(envelope(1))
  t.same(await inbox.offer(envelope(1, { node: 'press-2' })), { stream, watermark: 1 })
  await inbox.close()
  t.equal(inbox.stats().duplicate_envelopes, 0)
})

t.test('what is refused for ever is passed, listed, and listed again when the receipt was not heard', async t => {
  const { inbox, rows } = inboxIn(t.testdir(), {
    rule: parcel => (parcel.samples > 100 ? { refused: 'too many' } : undefined),
  })
  const refusal = { stream, watermark: 1, refused: [{ seq: 1, reason: 'too many' }] }
  t.same(await inbox.offer(envelope(1, { samples: 101 })), refusal)
  t.same(await inbox.offer(envelope(1, { samples: 101 })), refusal)
  t.same(await inbox.offer(envelope(2)), { stream, watermark: 2 })
  await inbox.close()
  t.same(
    rows.map(r => [r.refused, r.payload.length > 0]),
    [
      ['too many', false],
      [undefined, true],
    ],
  )
})

t.test('a refusable envelope that is not next does not move the watermark', async t => {
  const { inbox } = inboxIn(t.testdir(), { rule: () => ({ refused: 'never' }) })
  t.same(await inbox.offer(envelope(7)), { stream, watermark: 0, resend: true })
  await inbox.close()
})

t.test('a held envelope is not committed and may come again', async t => {
  let wait = true
  const { inbox, rows } = inboxIn(t.testdir(), { rule: () => (wait ? { retry_after: 250 } : undefined) })
  t.same(await inbox.offer(envelope(1)), { stream, watermark: 0, retry_after: 250 })
  wait = false
  t.same(await inbox.offer(envelope(1)), { stream, watermark: 1 })
  await inbox.close()
  t.equal(rows.length, 1)
})

t.test('parcels without a stream are taken, refused, or told to wait', async t => {
  const { stream: _, seq: __, previous: ___, crc: ____, ...parcel } = envelope(1)
  const rulings = [undefined, { refused: 'never' }, { retry_after: 500 }]
  const { inbox, rows } = inboxIn(t.testdir(), { rule: () => rulings.shift() })
  await inbox.take(parcel)
  await t.rejects(inbox.take(parcel), Refused)
  await t.rejects(inbox.take(parcel), new Busy(500))
  await inbox.close()
  t.same(
    rows.map(r => [r.stream, r.refused]),
    [
      ['', undefined],
      ['', 'never'],
    ],
  )
})

t.test('after a restart watermarks hold and unfolded rows come again in order', async t => {
  const folder = t.testdir()
  const first = inboxIn(folder)
  for (const seq of [1, 2, 3]) await first.inbox.offer(envelope(seq))
  await first.inbox.close()
  const second = inboxIn(folder, { folded: () => 1 })
  t.same(names(second.inbox.after(1)), names(first.rows.slice(1)))
  t.same(await second.inbox.offer(envelope(3)), { stream, watermark: 3 })
  await second.inbox.close()
})

t.test('ids never fall back below the cursor, even when every row is gone', async t => {
  const folder = t.testdir()
  let folded = 0
  const first = inboxIn(folder, { folded: () => folded })
  for (const seq of [1, 2, 3]) await first.inbox.offer(envelope(seq))
  folded = 3
  await first.inbox.offer(envelope(4))
  await first.inbox.close()
  const second = inboxIn(folder, { folded: () => 4 })
  for (const seq of [5, 6]) await second.inbox.offer(envelope(seq))
  await second.inbox.close()
  t.same(
    second.rows.map(r => r.id),
    [5, 6],
  )
  const third = inboxIn(folder, { folded: () => 90 })
  t.equal(names(third.inbox.after(4)).length, 2)
  await third.inbox.offer(envelope(7))
  await third.inbox.close()
  t.equal(third.rows[0]?.id, 91)
})

t.test('folded rows are deleted by the way', async t => {
  let folded = 0
  const { inbox } = inboxIn(t.testdir(), { folded: () => folded })
  for (const seq of [1, 2, 3]) await inbox.offer(envelope(seq))
  folded = 2
  await inbox.offer(envelope(4))
  t.same(
    [...inbox.after(0)].map(r => r.id),
    [3, 4],
  )
  await inbox.close()
})

t.test('the next commit waits until the rows of the last are taken up', async t => {
  let release = (): void => {}
  const taken: number[] = []
  const { inbox } = inboxIn(t.testdir(), {
    ready: rows => {
      taken.push(rows.length)
      return new Promise(resolve => {
        release = resolve
      })
    },
  })
  await inbox.offer(envelope(1))
  const later = Promise.all([2, 3].map(seq => inbox.offer(envelope(seq))))
  for (let n = 0; n < 5; n++) await turn()
  t.same(taken, [1])
  t.equal(inbox.stats().committed_envelopes, 1)
  release()
  await later
  await turn()
  await turn()
  t.same(taken, [1, 2])
  release()
  await inbox.close()
})

t.test('watermarks known to history keep duplicates out when inbox.db is gone', async t => {
  const { inbox, rows } = inboxIn(t.testdir(), {
    folded: () => 40,
    marks: () => [{ node: 'press-1', stream, watermark: 8, seen: noon }],
  })
  t.same(await inbox.offer(envelope(8)), { stream, watermark: 8 })
  t.same(await inbox.offer(envelope(9)), { stream, watermark: 9 })
  await inbox.close()
  t.same(
    rows.map(r => r.id),
    [41],
  )
})

t.test('a stream idle for more than 60 days is forgotten, a younger one is not', async t => {
  const folder = t.testdir()
  let now = noon
  const { inbox } = inboxIn(folder, { now: () => now })
  await inbox.offer(envelope(1))
  now += 30 * 86_400_000
  await inbox.offer(envelope(1, { stream: 'spool00001.metrics.2' }))
  now += 31 * 86_400_000
  t.same(await inbox.offer(envelope(1)), { stream, watermark: 1 }, 'forgotten, hence new')
  t.equal(inbox.stats().duplicate_envelopes, 0)
  await inbox.offer(envelope(1, { stream: 'spool00001.metrics.2' }))
  t.equal(inbox.stats().duplicate_envelopes, 1)
  await inbox.close()
})

t.test('a closed inbox rejects, and closing twice is fine', async t => {
  const { inbox } = inboxIn(t.testdir())
  const pending = inbox.offer(envelope(1))
  await inbox.close()
  await inbox.close()
  t.same(await pending, { stream, watermark: 1 }, 'what was offered before is answered')
  await t.rejects(inbox.offer(envelope(2)), /closed/)
})

t.test('a folder that is not there is an error at start', async t => {
  t.throws(() => openInbox({ ...({} as Parameters<typeof openInbox>[0]), folder: '/nowhere', now: () => noon }))
})
