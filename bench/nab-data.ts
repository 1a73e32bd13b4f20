// Series in the shape of the Numenta Anomaly Benchmark: CSV files of `timestamp,value`, and a JSON file that tells the
// windows of each. A folder of them with `windows.json`, or a copy of the benchmark's repository.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface NabSeries {
  readonly name: string
  /** As they stand in the file. */
  readonly timestamps: readonly string[]
  readonly texts: readonly string[]
  readonly times: readonly number[]
  readonly values: readonly number[]
  readonly windows: readonly (readonly [number, number])[]
}

const detector = 'fieldline'

/** Without a file of windows, every CSV file, and none has a window. */
export function readNab(folder: string): readonly NabSeries[] {
  const data = existsSync(join(folder, 'data')) ? join(folder, 'data') : folder
  const places = ['windows.json', 'combined_windows.json', 'labels/combined_windows.json']
  const file = places.map(place => join(folder, place)).find(existsSync)
  const windows: Record<string, [string, string][]> = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'))
  const names = file === undefined ? csvFiles(data) : Object.keys(windows).filter(name => existsSync(join(data, name)))
  return names.toSorted().map(name => readSeries(join(data, name), name, windows[name] ?? []))
}

function csvFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.csv'))
}

function readSeries(path: string, name: string, spans: readonly (readonly [string, string])[]): NabSeries {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/).slice(1)
  const timestamps = lines.map(line => line.slice(0, line.indexOf(',')))
  const texts = lines.map(line => line.slice(line.indexOf(',') + 1).split(',')[0]!)
  const times = timestamps.map(parseTime)
  const windows = spans.map(([from, to]) => rowsWithin(times, parseTime(from), parseTime(to)))
  return {
    name,
    timestamps,
    texts,
    times,
    values: texts.map(Number),
    windows: windows.filter(([a, b]) => a >= 0 && b >= a),
  }
}

function rowsWithin(times: readonly number[], from: number, to: number): readonly [number, number] {
  return [times.findIndex(time => time >= from), times.findLastIndex(time => time <= to)]
}

function parseTime(text: string): number {
  return Date.parse(`${text.trim().replace(' ', 'T')}Z`)
}

/** As `results/fieldline/...` of the benchmark's repository: its own scorer reads it there. */
export function writeNab(folder: string, series: NabSeries, scores: ArrayLike<number>): void {
  const inside = (row: number) => series.windows.some(([first, last]) => row >= first && row <= last)
  const rows = series.timestamps.map((time, n) => `${time},${series.texts[n]},${scores[n]},${inside(n) ? 1 : 0}\n`)
  const path = join(folder, detector, dirname(series.name), `${detector}_${basename(series.name)}`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `timestamp,value,anomaly_score,label\n${rows.join('')}`)
}
