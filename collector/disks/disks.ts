// The drives of the fleet: gathers what source `smart` tells of each, has it judged (judge/disks), and keeps findings and
// what is remembered.
//
// Constraints
// - A row's samples of a drive with one time are one report; of a report cut in two rows the second part goes on.
// - Whatever changes here by rows depends on the rows alone and is written in the transaction that folds them: a replay
//   after a crash comes to the same. What changes by the clock only closes findings of drives that are not heard of.
// - A drive is scored within the row that has its report: a row of a host is a slice, and the fold lets go between rows.

import type { Event } from '../../core/model.ts'
import { isMap } from '../../core/shape.ts'
import {
  beginDrive,
  type Drive,
  forgotten,
  type News,
  type Rule,
  rules,
  silence,
  take,
} from '../../judge/disks/drive.ts'
import { goneFrom } from '../../judge/disks/home.ts'
import type { Model } from '../../judge/disks/model.ts'
import { day } from '../../judge/disks/past.ts'
import type { Said } from '../../judge/disks/report.ts'
import { driveOf, type Saying, sayingOf } from '../../judge/disks/saying.ts'
import type { Judging, Watch } from '../judging.ts'
import type { History, Ref } from '../store/history.ts'
import { findingKey, type Records } from '../store/records.ts'
import { findingOf, probabilityOf } from './disk-findings.ts'
import { DiskTable, type Kept } from './disk-table.ts'

export interface DisksOptions {
  readonly model: Model
  readonly history: Pick<History, 'db' | 'ref' | 'append'>
  readonly records: Records
  readonly judging: Pick<Judging, 'attach' | 'step'>
}

/** What a row has said of a drive at one time. */
interface Gathered {
  readonly saying: Saying
  readonly time: number
  readonly said: Said
  device: string | undefined
  medium: Saying['medium']
}

/** A drive not heard of for so long has no open findings. */
const unheard = 7 * day

export class Disks {
  readonly #options: DisksOptions
  readonly #table: DiskTable
  readonly #drives = new Map<string, Kept>()
  /** Those with open findings. */
  readonly #told = new Set<Kept>()
  readonly #gathered = new Map<string, Gathered>()
  readonly #changed = new Map<Kept, News>()

  constructor(options: DisksOptions) {
    this.#options = options
    this.#table = new DiskTable(options.history.db)
    for (const kept of this.#table.load()) {
      this.#drives.set(kept.drive.id, kept)
      if (Object.keys(kept.told).length > 0) this.#told.add(kept)
    }
  }

  /** Once a series, when it is first met. */
  attach(ref: Ref): void {
    ref.drive ??= sayingOf(ref.node, ref.series) ?? null
  }

  /** One sample of a series that says something of a drive. */
  step(saying: Saying, time: number, value: number): void {
    const key = `${saying.drive} ${time}`
    const known = this.#gathered.get(key)
    const gathered = known ?? { saying, time, said: {}, device: undefined, medium: undefined }
    if (known === undefined) this.#gathered.set(key, gathered)
    gathered.said[saying.word] = value
    gathered.device = saying.device ?? gathered.device
    gathered.medium = saying.medium ?? gathered.medium
  }

  /** At the end of a row: takes its reports, the oldest first. */
  take(node: string, received: number): void {
    if (this.#gathered.size === 0) return
    const reports = [...this.#gathered.values()].sort((a, b) => a.time - b.time)
    this.#gathered.clear()
    for (const report of reports) this.#take(node, received, report)
  }

  /** An event of the row: that a drive is gone from its node. */
  event(node: string, { name, time, attributes, body }: Event): void {
    if (name === 'hw.physical_disk.vanished') this.#gone(driveOf(node, attributes), node, time)
    if (name !== 'hw.physical_disk.replaced' || !isMap(body) || !isMap(body.from)) return
    const { id, model, serial } = body.from as Readonly<Record<string, string>>
    const was = { 'hw.id': id ?? '', 'hw.model': model ?? '', 'hw.serial_number': serial ?? '' }
    this.#gone(driveOf(node, { ...was, 'hw.type': 'physical_disk' }), node, time)
  }

  /** About once a second: closes findings of drives that are not heard of any more. */
  tick(now: number): void {
    for (const kept of this.#told) if (now - kept.seen > unheard) this.#silence(kept, now)
  }

  /** In the transaction that folds. */
  write(): void {
    for (const [kept, news] of this.#changed) {
      if (news === 'all') this.#table.put(kept)
      this.#table.putTimes(kept)
    }
  }

  /** After its commit. */
  written(): void {
    this.#changed.clear()
  }

  /** After the replay: closes findings that no drive stands behind. */
  settle(now: number): void {
    const held = new Set([...this.#told].flatMap(({ told }) => Object.values(told).map(t => t.key)))
    for (const finding of this.#options.records.openFindings()) {
      if ((rules as readonly string[]).includes(finding.rule) && finding.kind === finding.rule) {
        if (!held.has(findingKey(finding)))
          this.#options.records.finding({ ...finding, until: Math.max(finding.since, now) })
      }
    }
  }

  /** Forgets drives that were not heard of for long. */
  forget(now: number): void {
    const old = [...this.#drives.values()].filter(({ seen }) => now - seen > forgotten)
    if (old.length === 0) return
    for (const kept of old) this.#silence(kept, now)
    this.#table.drop(old.map(({ drive }) => drive.id))
    for (const kept of old) {
      this.#drives.delete(kept.drive.id)
      this.#changed.delete(kept)
    }
  }

  all(): Iterable<Kept> {
    return this.#drives.values()
  }

  get(id: string): Kept | undefined {
    return this.#drives.get(id)
  }

  #take(node: string, received: number, { saying, time, said, device, medium }: Gathered): void {
    const kept = this.#drives.get(saying.drive) ?? this.#begin(saying, node, received)
    const { drive } = kept
    const { assessed } = drive
    const news = take(this.#options.model, drive, { node, received, time, said, device, medium })
    if (news === 'none') return
    kept.seen = received
    drive.who = saying.who
    this.#note(kept, news)
    if (drive.assessed !== assessed) this.#keepScore(drive, received)
    if (news === 'all') this.#tell(kept)
  }

  #begin({ drive: id, hardware, who, simulated }: Saying, node: string, received: number): Kept {
    const kept = { drive: beginDrive(id, hardware, who, simulated, node), told: {}, seen: received }
    this.#drives.set(id, kept)
    return kept
  }

  #note(kept: Kept, news: News): void {
    if (news === 'all' || !this.#changed.has(kept)) this.#changed.set(kept, news)
  }

  /** A series of the node like any other: kept, shown, and judged where a rule asks for it. */
  #keepScore(drive: Drive, received: number): void {
    const { history, judging } = this.#options
    if (drive.assessment?.known !== true) return
    const { probability } = drive.assessment
    const ref = history.ref(drive.home.node, probabilityOf(drive))
    if (drive.at <= ref.lastTime) return
    judging.attach(ref)
    history.append(ref, drive.at, probability)
    if (ref.watch !== undefined) {
      judging.step(ref.watch as Watch[], drive.at, probability, { backlog: false, received })
    }
  }

  /** Brings its findings to what its alarms are. */
  #tell(kept: Kept): void {
    const { drive, told } = kept
    for (const rule of rules) {
      const [alarm, open] = [drive.alarms[rule], told[rule]]
      const { node } = drive.home
      if (open !== undefined && (alarm?.since !== open.since || node !== open.node)) this.#close(kept, rule, drive.at)
      if (alarm === undefined) continue
      const finding = findingOf(drive, rule, alarm)
      told[rule] ??= { node, since: alarm.since, key: findingKey(finding) }
      this.#told.add(kept)
      // What the drive calls itself may change; the finding stays the one it is.
      const { subject } = this.#options.records.known(told[rule].key) ?? finding
      this.#options.records.finding({ ...finding, subject })
    }
  }

  #close(kept: Kept, rule: Rule, until: number): void {
    const { told } = kept
    const known = told[rule] && this.#options.records.known(told[rule].key)
    delete told[rule]
    if (Object.keys(told).length === 0) this.#told.delete(kept)
    if (known === undefined || known.until !== undefined) return
    this.#options.records.finding({ ...known, until: Math.max(known.since, until) })
  }

  #gone(id: string | undefined, node: string, time: number): void {
    const kept = id === undefined ? undefined : this.#drives.get(id)
    if (kept === undefined || !goneFrom(kept.drive.home, node, time)) return
    this.#silence(kept, time)
    this.#note(kept, 'all')
  }

  #silence(kept: Kept, until: number): void {
    if (!silence(kept.drive) && Object.keys(kept.told).length === 0) return
    for (const rule of rules) if (kept.told[rule] !== undefined) this.#close(kept, rule, until)
    this.#note(kept, 'all')
  }
}
