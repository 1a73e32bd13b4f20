// The one door of the collector: gate, inbox and fold put together, for whatever carries envelopes in.
//
//   offer/take -> gate -> inbox (commit) -> receipt -> fold -> history, detectors, records

import type { Say } from '../../core/log.ts'
import type { Accept } from '../../core/receipt.ts'
import type { Disks } from '../disks/disks.ts'
import type { Judging } from '../judging.ts'
import type { History } from '../store/history.ts'
import type { Records } from '../store/records.ts'
import { EdgeFindings } from './edge-findings.ts'
import { Fold, type FoldStats } from './fold.ts'
import { Gate, type Limits, type Ruling } from './gate.ts'
import { Inbox, type InboxStats, type Mark, type Parcel, type Row } from './inbox.ts'
import type { Open } from './inbox-salvage.ts'
import { Troubles } from './troubles.ts'

export interface IntakeOptions {
  /** Holds inbox.db; must exist. */
  readonly folder: string
  readonly history: History
  readonly records: Records
  readonly judging: Judging
  readonly disks: Disks
  readonly limits: Limits
  /** ms */
  readonly retention_age: number
  readonly say: Say
  now(): number
  /** Rows that were just committed, replayed ones not among them. */
  readonly committed?: (rows: readonly Row[]) => void
  /** The one seam for faults in tests. */
  readonly open?: Open
}

/** A collector's clock before this has not been set; those without a battery begin at 1970, 2000 or 2010. */
const clockFloor = Date.UTC(2020, 0, 1)
const tidyEvery = 3_600_000

export class Intake {
  readonly #options: IntakeOptions
  readonly #gate: Gate
  readonly #inbox: Inbox
  readonly #fold: Fold
  readonly #troubles: Troubles
  readonly #edgeFindings: EdgeFindings
  #tidied: number

  private constructor(options: IntakeOptions) {
    const { history, records, limits, retention_age, say } = options
    this.#options = options
    this.#tidied = options.now()
    this.#gate = new Gate({ limits, retention_age, clock_floor: clockFloor })
    this.#troubles = new Troubles(records)
    this.#edgeFindings = new EdgeFindings({ records, troubles: this.#troubles })
    this.#fold = new Fold({
      ...options,
      troubles: this.#troubles,
      edgeFindings: this.#edgeFindings,
      max_series: limits.series,
      charge: (node, samples, bytes) => this.#gate.charge(node, samples, bytes),
    })
    this.#inbox = new Inbox({
      ...options,
      say,
      rule: parcel => this.#rule(parcel),
      folded: () => history.cursor,
      marks: () => records.marks(),
      ready: rows => this.#ready(rows),
    })
  }

  /** Opens the inbox and folds what a crash left in it; then it takes. */
  static async open(options: IntakeOptions): Promise<Intake> {
    const intake = new Intake(options)
    const left = intake.#inbox.after(options.history.cursor)
    await intake.#fold.replay(unfolded(left, options.records.marks()))
    options.judging.settle(options.now())
    options.disks.settle(options.now())
    return intake
  }

  /** See core/receipt.ts. */
  get offer(): Accept {
    return this.#inbox.offer
  }

  /** What has no place in a stream; see Inbox.take. */
  take(parcel: Parcel): Promise<void> {
    return this.#inbox.take(parcel)
  }

  /** To be called about once a second. */
  tick(): void {
    const { judging, disks, now } = this.#options
    const present = now()
    judging.idle(present)
    disks.tick(present)
    this.#troubles.tick(present)
    this.#edgeFindings.tick(present)
    this.#fold.tick()
    if (Math.abs(present - this.#tidied) < tidyEvery) return
    this.#tidied = present
    this.#fold.tidy()
  }

  stats(): { readonly inbox: Readonly<InboxStats>; readonly fold: Readonly<FoldStats> } {
    return { inbox: this.#inbox.stats(), fold: this.#fold.stats() }
  }

  /** Folds everything now. Throws when that fails; nothing is lost by it. */
  flush(): void {
    this.#fold.flush()
  }

  /** Answers what was offered and folds it. Throws when the last fold fails; then it is folded at the next start. */
  async close(): Promise<void> {
    await this.#inbox.close()
    this.#fold.flush()
  }

  #rule(parcel: Parcel): Ruling {
    const { now } = this.#options
    const busy = this.#fold.busy()
    if (busy !== undefined) return { retry_after: busy }
    const ruling = this.#gate.rule(parcel, now())
    if (ruling !== undefined && 'flood' in ruling) this.#sawFlood(parcel.node)
    return ruling
  }

  #sawFlood(node: string): void {
    const { limits, now } = this.#options
    const { bytes_per_second, samples_per_second } = limits
    const message = `${node} sends more than ${samples_per_second} samples or ${bytes_per_second} bytes a second and is made to wait`
    const evidence = { samples_per_second, bytes_per_second }
    this.#troubles.saw({ rule: 'flood', node, time: now(), severity: 'warning', message, evidence })
  }

  async #ready(rows: readonly Row[]): Promise<void> {
    this.#options.committed?.(rows)
    await this.#fold.take(rows)
  }
}

/** A history that lost its cursor to damage may still have the marks, which it wrote in the same transaction. */
function* unfolded(rows: Iterable<Row>, marks: Iterable<Mark>): Generator<Row> {
  const folded = new Map([...marks].map(({ node, stream, watermark }) => [`${node} ${stream}`, watermark]))
  for (const row of rows) {
    if (row.stream === '' || row.seq > (folded.get(`${row.node} ${row.stream}`) ?? 0)) yield row
  }
}
