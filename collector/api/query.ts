import { Refused } from '../../core/errors.ts'
import { JsonColumns } from './json-columns.ts'
import type { Line, Reading, View, Window } from './view.ts'

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
  const lines = known.length === 0 ? [] : view.query(known, { from, to, buckets }, as)
  return encode(lines, { from, to, buckets }, as, new Set(asked).difference(new Set(known)))
}

function refuseGauges(view: View, ids: readonly number[]): void {
  const gauge = ids.find(id => view.seriesById(id)?.series.kind === 'gauge')
  if (gauge !== undefined) throw new Refused(`series ${gauge} is a gauge and has no rate; ask for it as=value`)
}

function encode(lines: readonly Line[], { from, to, buckets }: Window, as: Reading, unknown: Set<number>): Buffer {
  const step = (to - from) / buckets
  const json = new JsonColumns()
  json.text(`{"from":${from},"to":${to},"step":${step},"unknown":${JSON.stringify([...unknown])},"times":`)
  json.numbers(
    Float64Array.from({ length: buckets }, (_, n) => from + n * step),
    'exact',
  )
  json.text(',"series":[')
  for (const [n, line] of lines.entries()) {
    json.text(`${n > 0 ? ',' : ''}{"id":${line.id}`)
    if (as === 'rate') column(json, 'rate', line.rate, 'rounded')
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
