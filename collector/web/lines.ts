// The values that charts show, asked for together.

import type { LineAnswer, QueryAnswer } from '../api/answers.ts'
import { read } from './client.ts'
import type { Plot } from './groups.ts'

export interface Lines {
  readonly from: number
  readonly to: number
  readonly times: readonly number[]
  readonly byId: ReadonlyMap<number, LineAnswer>
}

export const buckets = 300
const maxIds = 500

/** Counters as rates. */
export async function readLines(
  plots: readonly Plot[],
  window: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<Lines> {
  const ids = (counters: boolean): number[] =>
    plots.filter(plot => (plot.kind === 'counter') === counters).flatMap(plot => plot.lines.map(line => line.id))
  const asked = [...chunks(ids(false), 'value'), ...chunks(ids(true), 'rate')]
  const query = (part: (typeof asked)[number]) =>
    read<QueryAnswer>('/api/query', { ...part, ...window, buckets }, signal)
  const answers = await Promise.all(asked.map(query))
  const lines = answers.flatMap(answer => answer.series)
  return { ...window, times: answers[0]?.times ?? [], byId: new Map(lines.map(line => [line.id, line])) }
}

function chunks(ids: readonly number[], as: 'value' | 'rate'): { readonly series: string; readonly as: string }[] {
  const parts = Array.from({ length: Math.ceil(ids.length / maxIds) }, (_, n) =>
    ids.slice(n * maxIds, (n + 1) * maxIds),
  )
  return parts.map(part => ({ series: part.join(), as }))
}
