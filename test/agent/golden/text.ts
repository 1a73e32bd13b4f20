// What a run of the agent brought, as text that people and diffs can read: sorted, and the same for every run.

import type { Event } from '../../../core/model.ts'
import type { Arrived, FarEnd } from './far-end.ts'

/** How much a spool holds depends on when its rows were sent, how long a reading takes on the machine. */
const fleeting = /^gauge fieldline\.(spool\.\w+|source\.duration)\b/

/** What the agent knows of itself. */
const ownWords = /("(?:service\.version|host\.arch)":)"[^"]*"/g

/** `said`: what the agent told its operator; `root` is taken out of it. */
export function textOf(far: FarEnd, said: readonly string[], root: string): string {
  const moments = [...Map.groupBy(far.samples, s => s.time)].sort(([a], [b]) => a - b)
  const sections = [
    ['resource', ...[...far.resources].map(resource => resource.replace(ownWords, '$1"*"'))],
    ...moments.map(([time, samples]) => [date(time), ...samples.map(sampleLine).sort()]),
    ['events', ...far.events.map(({ event }) => eventLine(event)).sort()],
    ['said', ...said.map(line => line.replaceAll(root, '')).sort()],
  ]
  return sections.map(([head, ...lines]) => [`# ${head}`, ...lines, ''].join('\n')).join('\n')
}

function sampleLine({ series, value }: Arrived): string {
  return `${series} ${fleeting.test(series) ? '*' : value}`
}

function eventLine({ time, severity, name, attributes, body }: Event): string {
  return `${date(time)} ${severity} ${name} ${JSON.stringify(attributes)} ${JSON.stringify(body)}`
}

function date(time: number): string {
  return new Date(time).toISOString()
}

/** `- line` for what is missing and `+ line` for what is new, each under its section. */
export function differences(golden: string, made: string): readonly string[] {
  const [before, after] = [sectionsOf(golden), sectionsOf(made)]
  const heads = [...new Set([...before.keys(), ...after.keys()])]
  return heads.flatMap(head => {
    const [old, now] = [before.get(head) ?? [], after.get(head) ?? []]
    const lines = [...without(old, now).map(line => `- ${line}`), ...without(now, old).map(line => `+ ${line}`)]
    return lines.length > 0 ? [head, ...lines.sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))] : []
  })
}

function sectionsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const parts = text.split(/^(?=# )/m).map(part => part.trimEnd().split('\n'))
  return new Map(parts.map(([head, ...lines]) => [head!, lines]))
}

/** Lines of `all` that are not in `others`, each as often as it is there too often. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return all.filter(line => {
    const n = left.get(line) ?? 0
    left.set(line, n - 1)
    return n <= 0
  })
}
