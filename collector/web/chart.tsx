// One metric over time. The canvas is for the eye; its caption and legend say the same in text.

import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import type { Column, LineAnswer } from '../api/answers.ts'
import { bridged, largest, lastOf } from './columns.ts'
import { quantity, type Scale, scaleOf } from './format.ts'
import type { Plot } from './groups.ts'
import type { Lines } from './lines.ts'
import { Simulated } from './parts.tsx'
import { chartOptions } from './plot.ts'
import { useWords } from './words.ts'

interface ChartProps {
  readonly plot: Plot
  readonly data: Lines | undefined
}

interface ChartGridProps {
  readonly plots: readonly Plot[]
  readonly data: Lines | undefined
}

export function ChartGrid({ plots, data }: ChartGridProps) {
  return (
    <div class="charts">
      {plots.map(plot => (
        <Chart key={`${plot.title ?? plot.name} ${plot.unit} ${plot.kind}`} plot={plot} data={data} />
      ))}
    </div>
  )
}

function Chart({ plot, data }: ChartProps) {
  const words = useWords()
  const [at, setAt] = useState<number | null>(null)
  const { columns, band, scale } = columnsOf(plot, data)
  const told = plot.lines.map(({ label }, n) => ({ label, value: valueAt(columns[n], at, scale) }))
  const alone = plot.lines.length === 1
  const some = columns.some(column => lastOf(column) !== undefined)
  const aloud = told.map(({ label, value }) => `${label} ${value}`.trim()).join(', ')
  return (
    <figure class="plot" data-metric={plot.name}>
      <figcaption>
        <span class="metric">{plot.title ?? plot.name}</span> <Simulated when={plot.simulated} />
        {alone && <span class="now">{told[0]!.value}</span>}
      </figcaption>
      <div class="canvas" role="img" aria-label={words('chartOf', { name: plot.title ?? plot.name, values: aloud })}>
        {data && some && <Canvas data={data} columns={columns} band={band} scale={scale} setAt={setAt} />}
        {data && !some && <p class="none">{words('noData')}</p>}
      </div>
      {!alone && (
        <ul class="legend">
          {told.map(({ label, value }, n) => (
            <li key={plot.lines[n]!.id} class={`line-${n + 1}`}>
              <span class="label">{label}</span> <span class="value">{value}</span>
            </li>
          ))}
        </ul>
      )}
      {plot.all > plot.lines.length && <p class="cut">{words('shown', { shown: plot.lines.length, all: plot.all })}</p>}
    </figure>
  )
}

interface Columns {
  readonly columns: readonly Column[]
  /** Least and most a bucket, where the plot has one line of values. */
  readonly band: readonly Column[]
  readonly scale: Scale
}

function columnsOf(plot: Plot, data: Lines | undefined): Columns {
  const lines = plot.lines.map(line => data?.byId.get(line.id))
  const columns = lines.map(line => middle(line))
  const scale = scaleOf(plot.name, plot.unit, plot.kind, largest(columns))
  const only = lines.length === 1 ? lines[0] : undefined
  return { columns, band: only && 'min' in only ? [only.min, only.max] : [], scale }
}

function middle(line: LineAnswer | undefined): Column {
  if (line === undefined) return []
  return 'mean' in line ? line.mean : line.rate
}

function valueAt(column: Column = [], at: number | null, scale: Scale): string {
  const value = at === null ? lastOf(column) : column[at]
  return value == null ? '–' : quantity(value, scale)
}

interface CanvasProps extends Columns {
  readonly data: Lines
  readonly setAt: (at: number | null) => void
}

function Canvas({ data, columns, band, scale, setAt }: CanvasProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const theme = useTheme()
  const shape = `${columns.length} ${band.length} ${scale.unit} ${theme}`
  useEffect(() => {
    const element = place.current!
    const made = new uPlot(chartOptions(element, columns.length, band.length > 0, scale, setAt), undefined, element)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: made.height }))
    watch.observe(element)
    return () => {
      watch.disconnect()
      made.destroy()
    }
  }, [shape])
  useEffect(() => {
    const shown = [...columns, ...band].map(column => bridged(column).map(v => (v == null ? v : v * scale.factor)))
    plot.current?.batch(() => {
      plot.current?.setData([data.times as number[], ...shown], false)
      plot.current?.setScale('x', { min: data.from, max: data.to })
    })
  }, [data, shape])
  return <div ref={place} />
}

/** Changes when the system turns dark or light: colours are read anew. */
function useTheme(): string {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const [theme, setTheme] = useState(dark.matches ? 'dark' : 'light')
  useEffect(() => {
    const changed = (): void => setTheme(dark.matches ? 'dark' : 'light')
    dark.addEventListener('change', changed)
    return () => dark.removeEventListener('change', changed)
  }, [])
  return theme
}
