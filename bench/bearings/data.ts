// Bearings run to failure, in the shape of PRONOSTIA's features: CSV with the columns set, bearing, idx and any features
// (rms_h, rms_v, kurt_h ...), one row every ten seconds. Its clock (h, m, s) is not used: it is set back in one of them.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export interface Bearing {
  readonly name: string
  /** ms; the first is 10 s. */
  readonly times: readonly number[]
  readonly features: ReadonlyMap<string, readonly number[]>
}

const every = 10_000
const known = /^(rms|kurt|peak)_/

export function readBearings(file: string): readonly Bearing[] {
  const bytes = readFileSync(file)
  const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trim().split(/\r?\n/)
  const columns = (lines[0] ?? '').split(',')
  const missing = ['set', 'bearing', 'idx'].filter(column => !columns.includes(column))
  if (missing.length > 0) throw new Error(`${file} has no column ${missing.join(', ')}`)
  const rows = Map.groupBy(
    lines.slice(1).map(line => line.split(',')),
    row => `${row[columns.indexOf('set')]}/${row[columns.indexOf('bearing')]}`,
  )
  return [...rows].map(([name, those]) => toBearing(name, those, columns))
}

function toBearing(name: string, rows: readonly (readonly string[])[], columns: readonly string[]): Bearing {
  const idx = columns.indexOf('idx')
  const features = columns.flatMap((column, n) =>
    known.test(column) ? [[column, rows.map(row => Number(row[n]))] as const] : [],
  )
  return {
    name: name.slice(name.indexOf('/') + 1),
    times: rows.map(row => Number(row[idx]) * every),
    features: new Map(features),
  }
}
