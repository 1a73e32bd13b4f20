// What is known of a drive as the API tells it.

import { factsOf } from '../../judge/disks/facts.ts'
import { day, grownWithin } from '../../judge/disks/past.ts'
import { counts } from '../../judge/disks/reading.ts'
import { sayingOf, type Word } from '../../judge/disks/saying.ts'
import { type Assessment, unknownAt } from '../../judge/disks/score.ts'
import type { WearOut } from '../../judge/disks/wear.ts'
import type { DiskCount, DiskDetail, DiskRisk, DiskSummary, DiskView, DiskWear } from '../api/view.ts'
import type { History, Ref } from '../store/history.ts'
import { probabilityOf } from './disk-findings.ts'
import type { Kept } from './disk-table.ts'

const risks = ['watch', 'warning', 'critical'] as const

/** The score as of now: of a drive that is gone or was not read for long there is none any more. */
function assessmentOf({ drive }: Kept, now: number): Assessment {
  const { home, past, assessment } = drive
  if (home.gone !== null) return { known: false, sentence: `it is gone from ${home.node} since ${dateOf(home.gone)}` }
  const nothing = { known: false, sentence: 'whether it will fail is unknown: it has told nothing yet' } as const
  return unknownAt(past, Math.max(now, past.time)) ?? assessment ?? nothing
}

/** The gravest of its score, its wear and what it says itself. */
function riskOf(kept: Kept, assessment: Assessment): DiskRisk | null {
  const { alarms, home, said, media, at } = kept.drive
  if (home.gone !== null) return null
  const facts = alarms['disk-self-reported'] === undefined ? [] : factsOf(said, media, at).map(f => f.severity)
  const found = [assessment.known ? assessment.level : undefined, ...facts, alarms['disk-worn'] && 'warning']
  return risks.findLast(risk => found.includes(risk)) ?? null
}

/** The higher the more there is to fear; what is gone comes last. */
function fear(kept: Kept, now: number): number {
  const assessment = assessmentOf(kept, now)
  const { home, said } = kept.drive
  if (home.gone !== null) return -1
  const risk = riskOf(kept, assessment)
  const worn = Math.min(1, said.used ?? 0)
  return (risk === null ? 0 : risks.indexOf(risk) + 1) * 10 + (assessment.known ? 2 + assessment.probability : worn)
}

/** The first `limit` of them, those at risk first. */
export function worstOf(all: Iterable<Kept>, now: number, limit: number): readonly DiskView[] {
  const each = [...all]
  const fears = Float64Array.from(each, kept => fear(kept, now))
  // Of a fleet of a hundred thousand only the few that are asked for are put in order one by one.
  const least = fears.toSorted()[Math.max(0, fears.length - limit)] ?? 0
  const worst = each.flatMap((kept, n) => (fears[n]! >= least ? [{ kept, much: fears[n]! }] : []))
  worst.sort((a, b) => b.much - a.much || (a.kept.drive.id < b.kept.drive.id ? -1 : 1))
  return worst.slice(0, limit).map(({ kept }) => diskView(kept, now))
}

export function summaryOf(all: Iterable<Kept>, now: number): DiskSummary {
  const sum = { drives: 0, scored: 0, unknown: 0, gone: 0, watch: 0, warning: 0, critical: 0 }
  for (const kept of all) {
    sum.drives++
    const assessment = assessmentOf(kept, now)
    const risk = riskOf(kept, assessment)
    if (risk !== null) sum[risk]++
    sum[kept.drive.home.gone !== null ? 'gone' : assessment.known ? 'scored' : 'unknown']++
  }
  return sum
}

export function diskView(kept: Kept, now: number): DiskView {
  const { id, who, simulated, home, past, said, media, worn, at } = kept.drive
  const assessment = assessmentOf(kept, now)
  return {
    id,
    node: home.node,
    device: home.device,
    vendor: who.vendor ?? null,
    model: who.model ?? null,
    serial: who.serial ?? null,
    medium: past.medium,
    simulated,
    terabytes: past.terabytes,
    hours: past.hours,
    readAt: past.time < 0 ? null : past.time,
    asleep: said.awake === 0,
    gone: home.gone,
    risk: riskOf(kept, assessment),
    known: assessment.known,
    probability: assessment.known ? assessment.probability : null,
    level: assessment.known ? (assessment.level ?? null) : null,
    trend: assessment.known ? assessment.trend : 'unknown',
    sentence: assessment.sentence,
    reasons: assessment.known ? assessment.reasons.map(r => r.words) : [],
    says: factsOf(said, media, at).map(f => f.words),
    wear: said.used === undefined || worn === null ? null : wearView(said.used, worn),
  }
}

function wearView(used: number, worn: WearOut): DiskWear {
  const [from, at, to] = worn.known ? [worn.from ?? null, worn.at ?? null, worn.to ?? null].map(whole) : []
  return { used, known: worn.known, from: from ?? null, at: at ?? null, to: to ?? null, sentence: worn.sentence }
}

function whole(time: number | null): number | null {
  return time === null ? null : Math.round(time)
}

export function diskDetail(kept: Kept, now: number): Omit<DiskDetail, 'series'> {
  const { past, nodes } = kept.drive
  return {
    ...diskView(kept, now),
    since: past.since,
    nodes,
    counts: countsOf(kept, now),
    scores: past.scores.map(({ time, odds }) => ({ time: Math.round(time), probability: 1 / (1 + Math.exp(-odds)) })),
  }
}

function countsOf({ drive: { past } }: Kept, now: number): readonly DiskCount[] {
  return counts.flatMap(name => {
    const count = past.counts[name]
    if (count === undefined) return []
    const { value, first, risen, at, by } = count
    const [grown7, grown30, grown120] = [7, 30, 120].map(days => grownWithin(count, now, days * day))
    const growth = at.map((time, n) => ({ time: Math.round(time), by: by[n]! }))
    return [{ name, value, first, grown7: grown7!, grown30: grown30!, grown120: grown120!, grownAt: risen, growth }]
  })
}

/** Not worth a chart. */
const plain: ReadonlySet<Word> = new Set(['bytes', 'awake', 'hours', 'seconds_on', 'starts', 'spare_limit'])

/** What history has of it, the score first. */
export function seriesOf({ drive }: Kept, history: Pick<History, 'find'>): readonly Ref[] {
  const ofDrive = drive.nodes.flatMap(node => history.find({ node, attributes: { 'hw.id': drive.hardware } }))
  const score = ofDrive.filter(ref => ref.series.name === probabilityOf(drive).name)
  const told = ofDrive.filter(ref => {
    const word = sayingOf(ref.node, ref.series)?.word
    return word !== undefined && !plain.has(word) && !isFlag(ref.series.name)
  })
  return [...score, ...told]
}

function isFlag(name: string): boolean {
  return /^(hw\.status|hw\.physical_disk\.(warning|self_test))$/.test(name)
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
