// Makes docs/metrics.md of what the sources declare: `npm run docs`. A test compares the two.

import { writeFileSync } from 'node:fs'
import type { EventKind, Metric } from '../agent/metric.ts'
import type { Source } from '../agent/source.ts'
import { sources } from '../agent/sources/index.ts'

const head = `# Metrics and events

What each source of an agent can tell; made of the sources' own declarations by \`npm run docs\`. Names and attributes are
those of the OpenTelemetry semantic conventions wherever they have one, units are UCUM. A counter only grows, and may begin
again at 0; a gauge is as it is at its time. What a machine does not show is absent, never 0.

Beside these every source tells of itself, with its name as attribute \`source\`: \`fieldline.source.duration\` (s),
\`fieldline.source.success\` (1), \`fieldline.source.lost\` ({sample}) and \`fieldline.source.skipped\` ({reading}).

Where \`detectors\` are configured, \`fieldline.findings\` ({finding}, gauge) tells by \`rule\` how many findings are open, and the event
\`fieldline.finding\` each that begins, changes or ends: its body is in [wire.md](wire.md#findings).
`

export function metricsDoc(): string {
  return [head, ...sources.map(section)].join('\n')
}

function section({ name, metrics, events = [] }: Source<unknown>): string {
  const lines = [`## ${name}`, '']
  if (metrics === undefined) lines.push('Names are those of its configuration and of what it reads.', '')
  else if (metrics.length > 0)
    lines.push(...table(['metric', 'unit', 'kind', 'attributes', 'origin', 'what'], metrics.map(row)))
  if (events.length > 0) lines.push(...table(['event', 'attributes', 'origin', 'what'], events.map(eventRow)))
  return lines.join('\n')
}

function row({ name, unit, kind, attributes, origin, brief }: Metric): string[] {
  return [code(name), code(unit), kind, attributes.map(code).join(', '), code(origin), brief]
}

function eventRow({ name, attributes, origin, brief }: EventKind): string[] {
  return [code(name), attributes.map(code).join(', '), code(origin), brief]
}

function code(text: string): string {
  return `\`${text}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line), '']
}

if (import.meta.main) writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsDoc())
