// OpenTelemetry series in the Prometheus text format 0.0.4, named by the compatibility rules of OpenTelemetry
// (specification, compatibility/prometheus_and_openmetrics.md): `container.memory.usage` in By becomes
// `container_memory_usage_bytes`, counters end in `_total`, a gauge of unit 1 in `_ratio`.

import type { Attributes, Sample, Series } from '../core/model.ts'

/** UCUM units that have a word of their own; any other becomes a part of the name as it is written. */
const words: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
}

const per: Readonly<Record<string, string>> = {
  s: 'second',
  min: 'minute',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
}

export function prometheusName({ name, unit, kind }: Series): string {
  const parts = name.split(/[^A-Za-z0-9]+/).filter(part => part !== '')
  const [whole = '', rate] = unit.split('/', 2)
  const add = (part: string): void => {
    if (part !== '' && !parts.includes(part)) parts.push(part)
  }
  add(unitPart(whole, words))
  const each = rate === undefined ? '' : unitPart(rate, per)
  if (each !== '' && !parts.includes(each)) parts.push('per', each)
  const ending = kind === 'counter' ? 'total' : unit === '1' ? 'ratio' : undefined
  const all = ending === undefined ? parts : [...parts.filter(part => part !== ending), ending]
  const joined = all.join('_')
  return /^\d/.test(joined) ? `_${joined}` : joined
}

/** Annotations such as `{packet}` are no part of a name, and 1 is none either. */
function unitPart(unit: string, known: Readonly<Record<string, string>>): string {
  const bare = unit.replace(/\{[^}]*\}/g, '').trim()
  if (bare === '1') return ''
  return Object.hasOwn(known, bare) ? known[bare]! : bare.replace(/[^A-Za-z0-9]+/g, '')
}

/** `{a="b",c="d"}`; two keys that become one label have their values joined by a semicolon. */
export function labels(attributes: Attributes): string {
  const found = new Map<string, string>()
  for (const key of Object.keys(attributes).toSorted()) {
    const label = labelName(key)
    const value = String(attributes[key])
    const before = found.get(label)
    found.set(label, before === undefined ? value : `${before};${value}`)
  }
  if (found.size === 0) return ''
  return `{${[...found].map(([label, value]) => `${label}="${escaped(value)}"`).join(',')}}`
}

function labelName(key: string): string {
  const name = key.replace(/[^A-Za-z0-9_]+/g, '_')
  return /^\d/.test(name) ? `key_${name}` : name
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, c => (c === '\n' ? '\\n' : `\\${c}`))
}

/**
 * The text of `samples`, each family once; what would be in a family of another kind is left out, of two with the same
 * labels the later stays. Without times: with them Prometheus would neither mark what is gone nor show what comes once an hour.
 */
export function exposition(resource: Attributes, samples: Iterable<Sample>): string {
  const families = new Map<string, { readonly kind: string; readonly lines: Map<string, string> }>()
  for (const { series, value } of samples) {
    const name = prometheusName(series)
    const family = families.get(name) ?? { kind: series.kind, lines: new Map() }
    families.set(name, family)
    if (family.kind === series.kind) family.lines.set(labels(series.attributes), String(value))
  }
  const out = [`# TYPE target_info gauge\ntarget_info${labels(resource)} 1\n`]
  for (const [name, { kind, lines }] of families) {
    out.push(`# TYPE ${name} ${kind}\n`)
    for (const [where, rest] of lines) out.push(`${name}${where} ${rest}\n`)
  }
  return out.join('')
}
