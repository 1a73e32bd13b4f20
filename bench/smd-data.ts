// Machines in the shape of the Server Machine Dataset: NAME.train.csv.gz and NAME.test.csv.gz hold a row a minute of the same
// metrics, NAME.label.csv.gz a 0 or 1 for each row of `test`.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

type Matrix = readonly Float64Array[]

export interface Machine {
  readonly name: string
  readonly train: Matrix
  readonly test: Matrix
  readonly labels: readonly number[]
}

export function readSmd(folder: string): readonly Machine[] {
  const names = readdirSync(folder).flatMap(file => /^(.+)\.label\.csv(\.gz)?$/.exec(file)?.[1] ?? [])
  return names.toSorted().map(name => ({
    name,
    train: readRows(folder, `${name}.train.csv`),
    test: readRows(folder, `${name}.test.csv`),
    labels: readRows(folder, `${name}.label.csv`).map(row => row.at(-1)!),
  }))
}

function readRows(folder: string, file: string): Matrix {
  const isPlain = readdirSync(folder).includes(file)
  const path = join(folder, isPlain ? file : `${file}.gz`)
  const text = isPlain ? readFileSync(path, 'utf8') : gunzipSync(readFileSync(path)).toString()
  return text
    .trim()
    .split(/\r?\n/)
    .map(line => Float64Array.from(line.split(','), Number))
    .filter((row, n) => n > 0 || row.every(Number.isFinite))
}
