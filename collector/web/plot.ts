// How a chart is drawn: colours come from the style sheet, so that light and dark are decided in one place.

import type uPlot from 'uplot'
import { figure, type Scale } from './format.ts'

const height = 150

export function chartOptions(
  element: HTMLElement,
  lines: number,
  banded: boolean,
  scale: Scale,
  setAt: (at: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const line = (n: number): uPlot.Series => ({ stroke: colour(`line-${n + 1}`), width: 1.5, points: { show: false } })
  const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } }
  const fill = colour('band')
  return {
    width: element.clientWidth,
    height,
    ms: 1,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'node' }, points: { size: 6 } },
    series: [{}, ...Array.from({ length: lines }, (_, n) => line(n)), ...(banded ? [edge, edge] : [])],
    bands: banded ? [{ series: [lines + 2, lines + 1], fill }] : [],
    scales: { x: { time: true }, y: { range: (_, low, high) => room(low, high, scale) } },
    axes: [
      { ...axis(colour), space: 48, size: 22, values: (_, times) => clockTexts(times) },
      { ...axis(colour), space: 26, size: 52, values: (_, values) => values.map(v => figure(v)) },
    ],
    hooks: { setCursor: [u => setAt(u.cursor.idx ?? null)] },
  }
}

function axis(colour: (name: string) => string): uPlot.Axis {
  const font = '11px system-ui, sans-serif'
  return { stroke: colour('faint'), font, grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false }, gap: 4 }
}

/** From zero where that costs little; shares from 0 to 100 % unless they go beyond. */
function room(low: number | null, high: number | null, { unit }: Scale): [number, number] {
  if (low === null || high === null) return [0, 1]
  if (unit === '%' && low >= 0 && high <= 100 && high > 40) return [0, 100]
  const least = low >= 0 && low < high * 0.7 ? 0 : low
  const margin = (high - least) * 0.08 || Math.abs(high) * 0.1 || 1
  return [least === 0 ? 0 : least - margin, high + margin]
}

function clockTexts(times: readonly number[]): string[] {
  const step = (times[1] ?? 0) - (times[0] ?? 0)
  const options: Intl.DateTimeFormatOptions =
    step >= 86_400_000
      ? { month: '2-digit', day: '2-digit' }
      : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(step < 60_000 && { second: '2-digit' }) }
  const format = new Intl.DateTimeFormat('en-GB', options)
  return times.map(time => format.format(time))
}
