import { Refused } from '../../core/errors.ts'
import { JsonColumns } from './json-columns.ts'
import type { Lines, Reading, View, Window } from './view.ts'

/** Bytes of a number with its comma, to begin with a buffer that seldom has to grow. */
const usualLength = 16

export interface Question extends Window {
  /** Ids with commas between them. */
  readonly series: string
  readonly as: Reading
}

/** The bytes of a `QueryAnswer`. @throws Refused where the window is empty or a gauge is asked for its rate. */
export function answerQuery(view: View, { series, from, to, buckets, as }: Question): Buffer {
  if (from >= to) throw new Refused(`from must be before to, got from ${from} and to ${to}`)
  const asked = [...new Set(series.split(',').map(Number))]
  const known = asked.filter(id => view.seriesById(id) !== undefined)
  if (as === 'rate') refuseGauges(view, known)
  const lines = known.length === 0 ? { start: from, step: 1, series: [] } : view.query(known, { from, to, buckets })
  return encode(lines, { from, to }, as, new Set(asked).difference(new Set(known)))
}

function refuseGauges(view: View, ids: readonly number[]): void {
  const gauge = ids.find(id => view.seriesById(id)?.series.kind === 'gauge')
  if (gauge !== undefined) throw new Refused(`series ${gauge} is a gauge and has no rate; ask for it as=value`)
}

function encode(lines: Lines, window: Pick<Window, 'from' | 'to'>, as: Reading, unknown: Set<number>): Buffer {
  const { start, step, series } = lines
  const buckets = series[0]?.mean.length ?? 0
  const json = new JsonColumns(4096 + buckets * (series.length * (as === 'rate' ? 1 : 3) + 1) * usualLength)
  json.text(
    `{"from":${window.from},"to":${window.to},"step":${step},"unknown":${JSON.stringify([...unknown])},"times":`,
  )
  const times = Float64Array.from({ length: buckets }, (_, n) => start + n * step)
  json.numbers(times, 'exact')
  json.text(',"series":[')
  for (const [n, line] of series.entries()) {
    json.text(`${n > 0 ? ',' : ''}{"id":${line.id}`)
    if (as === 'rate') column(json, 'rate', line.rate ?? [], 'rounded')
    else {
      column(json, 'min', line.min, 'exact')
      column(json, 'max', line.max, 'exact')
      column(json, 'mean', line.mean, 'rounded')
    }
    json.text('}')
  }
  json.text(']}')
  return json.finish()
}

function column(json: JsonColumns, name: string, values: ArrayLike<number>, as: 'exact' | 'rounded'): void {
  json.text(`,"${name}":`)
  json.numbers(values, as)
}
