// Values and UCUM units as people write them. https://ucum.org/ucum

import type { SeriesKind } from '../../core/model.ts'

/** What is shown is the value times `factor`, with `unit` behind it. */
export interface Scale {
  readonly factor: number
  readonly unit: string
}

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const
const decimal = ['', 'k', 'M', 'G', 'T'] as const
const small = ['', 'm', 'µ', 'n'] as const
/** Units that take an SI prefix. */
const prefixed = new Set(['Hz', 'V', 'A', 'W', 'Pa', 'bit/s'])
const signs: Readonly<Record<string, string>> = { Cel: '°C', By: 'B', '[degF]': '°F', deg: '°', Ohm: 'Ω' }

/**
 * How a series of this unit is best shown when its largest value is `largest`. A counter is shown as its rate a second.
 * Unit `1` is a share where the name says so.
 */
export function scaleOf(name: string, unit: string, kind: SeriesKind, largest: number): Scale {
  const rate = kind === 'counter' ? '/s' : ''
  if (unit === 's') return rate ? { factor: 100, unit: '%' } : seconds(largest)
  if (unit === '1' && !rate && /(utilization|ratio|probability)$/.test(name)) return { factor: 100, unit: '%' }
  if (unit === 'By' || unit === 'By/s') return step(largest, 1024, binary, unit.replace('By', 'B') + rate)
  if (prefixed.has(unit)) return step(largest, 1000, decimal, unit + rate)
  return { factor: 1, unit: plain(unit) + rate }
}

function step(largest: number, base: number, prefixes: readonly string[], unit: string): Scale {
  const size = largest > 0 ? Math.floor(Math.log(largest) / Math.log(base) + 1e-9) : 0
  const n = Math.min(Math.max(size, 0), prefixes.length - 1)
  return { factor: base ** -n, unit: `${prefixes[n]}${unit}` }
}

function seconds(largest: number): Scale {
  const n = largest > 0 && largest < 1 ? Math.min(Math.ceil(-Math.log10(largest) / 3 - 1e-9), 3) : 0
  return { factor: 1000 ** n, unit: `${small[n]}s` }
}

/** Annotations lose their braces, and the unit one is nothing. */
function plain(unit: string): string {
  const text = unit.replace(/\{([^}]*)\}/g, '$1')
  return text === '1' ? '' : (signs[text] ?? text)
}

/** Four significant digits, never an exponent below 1e15; large numbers in groups of three. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4
  const text = value.toFixed(digits)
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return short.replace(/\B(?=(\d{3})+$)/g, '\u202f').replace(/^-/, '−')
}

/** A value with its unit. */
export function quantity(value: number, scale: Scale): string {
  return `${figure(value * scale.factor)}${scale.unit ? `\u00a0${scale.unit}` : ''}`
}
