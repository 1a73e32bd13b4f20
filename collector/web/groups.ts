// Which series of a node stand together: groups of charts, one chart a metric.

import type { SeriesAnswer } from '../api/answers.ts'
import type { Key } from './texts.ts'

export const maxLines = 8

export interface Plot {
  /** Shown instead of the metric's name. */
  readonly title?: string
  readonly name: string
  readonly unit: string
  readonly kind: SeriesAnswer['kind']
  readonly simulated: boolean
  /** At most `maxLines`, with what tells them apart. */
  readonly lines: readonly { readonly id: number; readonly label: string }[]
  /** How many there are. */
  readonly all: number
}

export interface Group {
  /** A text's key, or the metrics' first word. */
  readonly title: Key | undefined
  readonly word: string
  readonly plots: readonly Plot[]
}

/** What Fieldline tells of itself and of its talk with devices. */
function isOwn({ name }: SeriesAnswer): boolean {
  return /^(fieldline|hl7|opcua)\./.test(name)
}

/** In the order shown; the first that matches takes the metric. */
const known: readonly { readonly title: Key; readonly fits: (s: SeriesAnswer) => boolean }[] = [
  { title: 'groupDevices', fits: s => 'source' in s.attributes && !/^(system|hw)\./.test(s.name) && !isOwn(s) },
  { title: 'groupLoad', fits: s => /^system\.(.*\.)?load/.test(s.name) },
  { title: 'groupCpu', fits: s => s.name.startsWith('system.cpu.') },
  { title: 'groupMemory', fits: s => /^system\.(linux\.)?(memory|paging)\./.test(s.name) },
  { title: 'groupDisk', fits: s => s.name.startsWith('system.disk.') },
  { title: 'groupFilesystem', fits: s => s.name.startsWith('system.filesystem.') },
  { title: 'groupNetwork', fits: s => /^(system|hw)\.network\./.test(s.name) },
  { title: 'groupProcesses', fits: s => /^system\.(process(es)?|thread)\./.test(s.name) },
  { title: 'groupSelf', fits: isOwn },
]

export function groupsOf(series: readonly SeriesAnswer[]): readonly Group[] {
  const groups = Map.groupBy(series, groupKey)
  const order = (key: string): number => (key === 'groupSelf' ? 1000 : (index(key) + 100) % 100)
  const index = (key: string): number => known.findIndex(k => k.title === key)
  return [...groups]
    .map(([key, members]) => ({ key, plots: plotsOf(members) }))
    .sort((a, b) => order(a.key) - order(b.key) || compare(a.key, b.key))
    .map(({ key, plots }) => ({ title: known.find(k => k.title === key)?.title, word: key, plots }))
}

function groupKey(series: SeriesAnswer): string {
  return known.find(k => k.fits(series))?.title ?? series.name.split('.', 1)[0]!
}

function plotsOf(series: readonly SeriesAnswer[]): readonly Plot[] {
  const plots = Map.groupBy(series, s => `${s.name} ${s.unit} ${s.kind}`)
  return [...plots.values()].map(plotOf).sort((a, b) => compare(a.name, b.name))
}

function plotOf(series: readonly SeriesAnswer[]): Plot {
  const { name, unit, kind } = series[0]!
  const telling = tellingApart(series)
  const label = (s: SeriesAnswer): string => telling.map(key => String(s.attributes[key] ?? '–')).join(' · ')
  const lines = series.map(s => ({ id: s.id, label: label(s) })).sort((a, b) => compare(a.label, b.label))
  const simulated = series.some(s => s.simulated)
  return { name, unit, kind, simulated, lines: lines.slice(0, maxLines), all: lines.length }
}

/** The attributes whose values differ. */
function tellingApart(series: readonly SeriesAnswer[]): readonly string[] {
  const keys = new Set(series.flatMap(s => Object.keys(s.attributes)))
  return [...keys].filter(key => new Set(series.map(s => s.attributes[key])).size > 1)
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

/** Series in whose name, attributes and source every word of the filter stands. */
export function filtered(series: readonly SeriesAnswer[], filter: string): readonly SeriesAnswer[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return series
  const text = (s: SeriesAnswer): string => [s.name, ...Object.values(s.attributes)].join(' ').toLowerCase()
  return series.filter(s => words.every(word => text(s).includes(word)))
}

const headlines = [/^system\.cpu\.utilization$/, /^system\.(.*\.)?load.*1m$/, /^system\.memory\.utilization$/] as const

/** The one series that stands for the node in the fleet: the load of a host, the first reading of a device, one with a unit before states. */
export function headlineOf(series: readonly SeriesAnswer[]): SeriesAnswer | undefined {
  const gauges = series.filter(s => s.kind === 'gauge' && !isOwn(s))
  const known = headlines.map(name => gauges.find(s => name.test(s.name))).find(s => s !== undefined)
  return known ?? gauges.find(s => s.unit !== '1') ?? gauges[0]
}
