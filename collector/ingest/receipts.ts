// Receipts on their way back to the edge. Those of one stream that arise within one turn of the event loop travel as one.
// A call to go back (`resend`) is sent once a round: what was already under way behind the gap arrives in ascending order
// and would ask for the same again; a seq that does not ascend shows that the edge has gone back.

import type { Receipt } from '../../core/receipt.ts'

export interface Receipts {
  /** `seq`: of the envelope that this receipt answers. */
  answer(node: string, seq: number, receipt: Receipt): void
}

type Send = (node: string, receipt: Receipt) => void

interface Round {
  readonly watermark: number
  seq: number
}

/** Streams whose calls to go back are remembered; the oldest are forgotten, which costs one call more. */
const mostRounds = 10_000

export function gatherReceipts(send: Send): Receipts {
  const waiting = new Map<string, { node: string; receipt: Receipt }>()
  const rounds = new Map<string, Round>()

  const flush = (): void => {
    const receipts = [...waiting.values()]
    waiting.clear()
    for (const { node, receipt } of receipts) send(node, receipt)
  }

  const repeats = (key: string, seq: number, { watermark }: Receipt): boolean => {
    const round = rounds.get(key)
    if (round !== undefined && round.watermark === watermark && seq > round.seq) {
      round.seq = seq
      return true
    }
    rounds.delete(key)
    if (rounds.size >= mostRounds) rounds.delete(rounds.keys().next().value!)
    rounds.set(key, { watermark, seq })
    return false
  }

  return {
    answer(node, seq, receipt) {
      const key = `${node}/${receipt.stream}`
      if (receipt.resend && repeats(key, seq, receipt)) return
      if (!receipt.resend) rounds.delete(key)
      if (waiting.size === 0) setImmediate(flush)
      waiting.set(key, { node, receipt: merge(waiting.get(key)?.receipt, receipt) })
    },
  }
}

/** What two receipts of one stream say together; the later one knows better whether to go back. */
function merge(earlier: Receipt | undefined, later: Receipt): Receipt {
  if (earlier === undefined) return later
  const refused = [...(earlier.refused ?? []), ...(later.refused ?? [])]
  const base = later.base ?? earlier.base
  const wait = Math.max(earlier.retry_after ?? 0, later.retry_after ?? 0)
  return {
    stream: later.stream,
    watermark: later.resend ? later.watermark : Math.max(earlier.watermark, later.watermark),
    ...(refused.length > 0 && { refused }),
    ...(later.resend && { resend: true }),
    ...(base !== undefined && { base }),
    ...(wait > 0 && { retry_after: wait }),
  }
}
