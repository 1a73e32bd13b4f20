// One drive over time: takes its reports, scores it once a day and at once when its damage grew, and says what troubles
// last. Plain data, bounded; the same reports in the same order make the same drive. Pure.

import { type Alarm, type Grade, sound } from './alarm.ts'
import { factsOf, type MediaErrors, observeMedia } from './facts.ts'
import { type Home, seenAt } from './home.ts'
import type { Model } from './model.ts'
import { begin, day, observe, type Past } from './past.ts'
import { damage, type Reading } from './reading.ts'
import { type Report, readingOf, type Said, saysNothing } from './report.ts'
import type { Who } from './saying.ts'
import { type Assessment, assess } from './score.ts'
import { beginWear, observeWear, type Wear, type WearOut, wearOut } from './wear.ts'

/** For so long a trouble lasts after it was seen last. */
export const holds = { 'disk-failing': 7 * day, 'disk-worn': 7 * day, 'disk-self-reported': day } as const
export type Rule = keyof typeof holds
export const rules = Object.keys(holds) as readonly Rule[]

/** A drive that was not heard of for so long begins anew: nobody knows when its counts grew. */
export const forgotten = 90 * day
/** Flash that may be worn out within so long. */
const wornWithin = 90 * day
const mostNodes = 4

export interface Drive {
  readonly id: string
  readonly hardware: string
  who: Who
  simulated: boolean
  home: Home
  /** Where it was, the newest first. */
  nodes: string[]
  /** The newest report: by whom, dated when by its clock and by ours, and what it said. */
  by: string
  dated: number
  at: number
  said: Said
  past: Past
  wear: Wear
  media: MediaErrors | null
  /** When it was scored last, and what came of it. */
  assessed: number | null
  assessment: Assessment | null
  worn: WearOut | null
  alarms: Partial<Record<Rule, Alarm>>
}

/** `time`: nothing but the time went on. */
export type News = 'none' | 'time' | 'all'

/** `time` as the node dated it; of one report cut in two the second part comes with the same. */
export interface Sent extends Report {
  readonly node: string
  /** By the clock of who took it. */
  readonly received: number
  readonly device: string | undefined
}

export function beginDrive(id: string, hardware: string, who: Who, simulated: boolean, node: string): Drive {
  const home = { node, device: null, time: -1, others: 0, gone: null }
  const memory = { past: begin(), wear: beginWear(), media: null, assessed: null, assessment: null, worn: null }
  return {
    id,
    hardware,
    who,
    simulated,
    home,
    nodes: [node],
    by: '',
    dated: -1,
    at: -1,
    said: {},
    ...memory,
    alarms: {},
  }
}

export function take(model: Model, drive: Drive, sent: Sent): News {
  const goesOn = sent.node === drive.by && sent.time === drive.dated
  // A clock that runs ahead must not shut out what comes once it is set.
  const time = goesOn ? drive.at + 1 : Math.min(sent.time, sent.received)
  if (time <= drive.at) return 'none'
  const moved = seenAt(drive.home, sent.node, time, sent.device)
  if (moved) drive.nodes = [...new Set([drive.home.node, ...drive.nodes])].slice(0, mostNodes)
  const said = goesOn ? { ...drive.said, ...sent.said } : sent.said
  Object.assign(drive, { by: sent.node, dated: sent.time, at: time })
  if (saysNothing(said)) return sleeps(drive, said) || moved ? 'all' : 'time'
  if (time - drive.past.time > forgotten && drive.past.time >= 0) startAnew(drive)
  const isNews = saysOther(drive.said, said)
  drive.said = said
  const scored = score(model, drive, { ...sent, time, said }, moved)
  const told = tellFacts(drive, time)
  return moved || isNews || scored || told ? 'all' : 'time'
}

/** What it said awake still holds. */
function sleeps(drive: Drive, { awake }: Said): boolean {
  const before = drive.said.awake
  drive.said.awake = awake ?? 0
  return before !== drive.said.awake
}

function startAnew(drive: Drive): void {
  const memory = { past: begin(), wear: beginWear(), media: null, assessed: null, assessment: null, worn: null }
  Object.assign(drive, memory, { alarms: {} })
}

function saysOther(before: Said, now: Said): boolean {
  const keys = Object.keys({ ...before, ...now }) as (keyof Said)[]
  return keys.some(key => key !== 'hours' && key !== 'seconds_on' && before[key] !== now[key])
}

/** Whether it was scored. */
function score(model: Model, drive: Drive, report: Report, anyway: boolean): boolean {
  const { id, past, wear, said, assessed } = drive
  const { time } = report
  const reading = readingOf(id, report)
  const isWorse = grows(past, reading)
  const steps = wear.used.length
  observe(past, reading)
  if (said.used !== undefined) observeWear(wear, id, time, said.used)
  if (said.media_errors !== undefined) drive.media = observeMedia(drive.media, said.media_errors, time)
  const isDue = assessed === null || time - assessed >= day || isWorse || wear.used.length !== steps || anyway
  if (isDue) judge(model, drive, time)
  return isDue
}

function grows(past: Past, { counts }: Reading): boolean {
  return damage.some(name => (counts[name] ?? 0) > (past.counts[name]?.value ?? Number.POSITIVE_INFINITY))
}

function judge(model: Model, drive: Drive, time: number): void {
  drive.assessed = time
  drive.assessment = assess(model, drive.past, time)
  drive.worn = drive.said.used === undefined ? null : wearOut(drive.wear)
  const { assessment, worn } = drive
  const level = assessment.known ? assessment.level : undefined
  // `watch` is for who looks: one sound drive in a hundred reaches it.
  ring(drive, 'disk-failing', time, level === 'watch' ? undefined : level)
  const isSoon = worn?.known === true && worn.from !== undefined && worn.from - time <= wornWithin
  ring(drive, 'disk-worn', time, isSoon ? 'warning' : undefined)
}

function tellFacts(drive: Drive, time: number): boolean {
  const facts = factsOf(drive.said, drive.media, time)
  const grave = facts.some(f => f.severity === 'critical') ? 'critical' : facts[0]?.severity
  return ring(drive, 'disk-self-reported', time, grave)
}

/** Whether the alarm is another one now. */
function ring({ alarms }: Drive, rule: Rule, time: number, grade: Grade | undefined): boolean {
  const before = alarms[rule]
  const after = sound(before, time, grade, holds[rule])
  if (after === undefined) delete alarms[rule]
  else alarms[rule] = after
  return before !== after
}

/** Nothing holds of a drive that is gone, or was not heard of for long. */
export function silence(drive: Drive): boolean {
  const rang = Object.keys(drive.alarms).length > 0
  drive.alarms = {}
  return rang
}
