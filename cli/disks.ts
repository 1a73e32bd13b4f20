// `fieldline disks`: which drives a collector knows and which of them will fail, those at risk first; or one drive whole.

import type { DiskDetailAnswer, DisksAnswer } from '../collector/api/answers.ts'
import type { DiskView } from '../collector/api/view.ts'
import { percent, whyOf, yearsOf } from '../collector/web/disk-text.ts'
import { readArguments, Usage } from './arguments.ts'
import { type CollectorApi, collectorApi, collectorOptions } from './collector-api.ts'
import { type Command, print, status } from './command.ts'
import { clipped, table } from './table.ts'
import { texts } from './texts.ts'

const options = {
  ...collectorOptions,
  node: { type: 'string' },
  most: { type: 'string', default: '40' },
  json: { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof readArguments<typeof options>>['values']

export const disks: Command = {
  async run(args) {
    const { values, positionals } = readArguments(args, options, [], true)
    const { said } = texts(process.env)
    const [id, extra] = positionals
    if (extra !== undefined) throw new Usage(said.unexpected(extra))
    if (!/^[1-9]\d{0,3}$/.test(values.most)) throw new Usage(said.disksMost(values.most))
    const api = await collectorApi(values)
    return id === undefined ? list(api, values) : whole(api, id, values.json)
  },
}

async function list(api: CollectorApi, { node, most, json }: Values): Promise<number> {
  const query = new URLSearchParams({ limit: most, ...(node !== undefined && { node }) })
  const answer = await api.ask<DisksAnswer>(`/api/disks?${query}`)
  const { said } = texts(process.env)
  if (json) print(JSON.stringify(answer))
  else if (answer.disks.length === 0) print(said.disksNone)
  else print([tableOf(answer.disks), '', said.disksSummary(answer.summary, answer.more)].join('\n'))
  const warned = answer.disks.some(warns)
  return warned ? status.failed : status.ok
}

/** What is worth a visit to the machine. */
function warns({ risk }: DiskView): boolean {
  return risk === 'warning' || risk === 'critical'
}

function tableOf(all: readonly DiskView[]): string {
  const { disksColumns: c } = texts(process.env).said
  const heads = [c.risk, c.node, c.device, c.model, c.serial, c.size, c.age, c.probability, c.trend, c.worn, c.why]
  const text = table([heads, ...all.map(row)], [5, 6, 7])
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY
  return text
    .split('\n')
    .map(line => clipped(line, width))
    .join('\n')
}

function row(disk: DiskView): string[] {
  const { said } = texts(process.env)
  const { risk, node, device, model, serial, id, terabytes, hours, trend, wear } = disk
  return [
    risk === null ? '-' : said.disksRisk[risk],
    node,
    device ?? '-',
    model ?? '-',
    serial ?? id,
    terabytes === null ? '-' : `${terabytes} TB`,
    hours === null ? '-' : said.disksYears(yearsOf(hours)),
    disk.probability === null ? said.disksUnknown : percent(disk.probability),
    said.disksTrend[trend],
    wear?.at == null ? '-' : dateOf(wear.at),
    whyOf(disk),
  ]
}

async function whole(api: CollectorApi, id: string, json: boolean): Promise<number> {
  const disk = await find(api, id)
  const { said } = texts(process.env)
  if (disk === undefined) throw new Error(said.disksNoSuch(id))
  print(json ? JSON.stringify(disk) : [...head(disk), '', countsOf(disk), '', scoresOf(disk)].join('\n').trimEnd())
  return warns(disk) ? status.failed : status.ok
}

/** By its id or, where no drive has that, by its serial number. */
async function find(api: CollectorApi, id: string): Promise<DiskDetailAnswer | undefined> {
  const found = await api.find<DiskDetailAnswer>(`/api/disks/${encodeURIComponent(id)}`)
  if (found !== undefined) return found
  const { disks } = await api.ask<DisksAnswer>('/api/disks?limit=10000')
  const named = disks.find(d => d.serial === id)
  return named && api.find<DiskDetailAnswer>(`/api/disks/${encodeURIComponent(named.id)}`)
}

function head(disk: DiskDetailAnswer): string[] {
  const { said } = texts(process.env)
  const { id, vendor, model, serial, terabytes, nodes, device, risk, sentence, says, wear, readAt } = disk
  const size = terabytes === null ? null : `${terabytes} TB`
  return [
    [vendor, model, serial, size].filter(Boolean).join(' ') || id,
    `${id}  ${nodes.join(', ')}  ${device ?? ''}`.trimEnd(),
    ...(readAt === null ? [] : [said.disksRead(new Date(readAt).toISOString())]),
    ...(risk === null ? [] : [said.disksRisk[risk]]),
    sentence,
    ...says,
    ...(wear === null ? [] : [wear.sentence]),
  ]
}

function countsOf({ counts }: DiskDetailAnswer): string {
  const { disksColumns: c } = texts(process.env).said
  if (counts.length === 0) return ''
  const heads = [c.count, c.value, c.first, '7 d', '30 d', '120 d', c.grownAt]
  const rows = counts.map(({ name, value, first, grown7, grown30, grown120, grownAt }) => [
    name.replaceAll('_', ' '),
    ...[value, first, grown7, grown30, grown120].map(String),
    grownAt === null ? '-' : dateOf(grownAt),
  ])
  return table([heads, ...rows], [1, 2, 3, 4, 5])
}

function scoresOf({ scores }: DiskDetailAnswer): string {
  const { disksColumns: c } = texts(process.env).said
  if (scores.length === 0) return ''
  return table([[c.day, c.probability], ...scores.map(s => [dateOf(s.time), percent(s.probability)])], [1])
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
