// A whole intake over a folder, and edges to fill it, for the tests of what becomes of committed rows.

import { mkdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { zstdCompressSync } from 'node:zlib'
import { Disks } from '../../../collector/disks/disks.ts'
import { diskModel } from '../../../collector/disks/model.ts'
import { Incidents } from '../../../collector/incidents.ts'
import { Intake, type IntakeOptions } from '../../../collector/ingest/intake.ts'
import { Judging } from '../../../collector/judging.ts'
import { openHistory } from '../../../collector/store/history.ts'
import { type RecordChange, Records } from '../../../collector/store/records.ts'
import type { Envelope } from '../../../core/envelope.ts'
import type { Attributes, Event, Sample, Series } from '../../../core/model.ts'
import { encodeLogs, metricsEncoder } from '../../../core/otlp/encode.ts'
import { parts } from '../../../core/parts.ts'
import { Place } from '../../../core/shape.ts'
import { mutes } from '../../../judge/incidents/mutes.ts'
import { detectors } from '../../../judge/index.ts'
import { envelope, noon } from './envelopes.ts'

export interface CollectorOptions extends Partial<Pick<IntakeOptions, 'limits' | 'open' | 'committed'>> {
  readonly rules?: readonly unknown[]
  readonly mutes?: readonly unknown[]
}

/** A collector's ingest without sockets; `clock.now` is its time. */
export async function collectorIn(folder: string, options: CollectorOptions = {}, begun = noon) {
  const clock = { now: begun }
  const now = (): number => clock.now
  const said: string[] = []
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  mkdirSync(folder, { recursive: true })
  const history = openHistory({ folder, say, now })
  const records = new Records({ db: history.db, file: history, changed: change => changed(change) })
  const place = new Place()
  const rules = parts(detectors, 'detector').read(options.rules ?? [], place)
  const muted = mutes.read(options.mutes ?? [], place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  const incidents = new Incidents({ records, mutes: muted })
  const changed = (change: RecordChange): void => {
    if (change.kind === 'finding') incidents.take(change.finding)
  }
  const judging = new Judging({ rules, detectors, history, records, say })
  const disks = new Disks({ model: await diskModel(), history, records, judging })
  const limits = { bytes_per_second: 1e9, samples_per_second: 1e9, series: 1000 }
  const shared = { folder, history, records, judging, disks, say, now, retention_age: 30 * 86_400_000 }
  const intake = await Intake.open({ limits, ...shared, ...options })
  return {
    ...{ clock, said, history, records, incidents, judging, disks, intake },
    /** As a kill: nothing is folded or closed in order. */
    async crash() {
      await settled(intake)
      history.close()
    },
    async stop() {
      await intake.close()
      history.close()
    },
    /** Everything a node has in history, as `name{attributes}@time=value`, sorted. */
    all(node: string): string[] {
      return history.find({ node }).flatMap(ref => {
        const { times, values } = history.range(ref, 0, 8e15)
        const name = `${ref.series.name}${JSON.stringify(ref.series.attributes)}`
        return [...times].map((time, n) => `${name}@${time - noon}=${values[n]}`)
      })
    },
  }
}

/** Waits until every row committed so far is folded into memory. */
export async function settled(intake: Intake): Promise<void> {
  const { inbox, fold } = intake.stats()
  while (fold.rows - fold.replayed_rows < inbox.committed_envelopes + inbox.refused_envelopes) await turn()
}

export const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: { zone: 2 } }

/** Makes one stream's envelopes, as an edge would. */
export class Edge {
  readonly node: string
  readonly #resource: Attributes
  readonly #spool: string
  #number = 1
  #seq = 0

  constructor(node: string, spool = 'spool00001', resource: Attributes = { 'host.name': node }) {
    this.node = node
    this.#spool = spool
    this.#resource = resource
  }

  /** The next stream, as after an outage. */
  rotate(): void {
    this.#number++
    this.#seq = 0
  }

  metrics(samples: readonly Sample[], more: Partial<Envelope> = {}): Envelope {
    const payload = zstdCompressSync(metricsEncoder(this.#resource)(samples))
    return this.#next({ payload, samples: samples.length, ...timesOf(samples), ...more })
  }

  /** One sample of press.heat for each value, a second apart, the last at `time` after noon. */
  heat(time: number, values: readonly number[], more: Partial<Envelope> = {}): Envelope {
    const at = (n: number): number => noon + time - (values.length - 1 - n) * 1000
    return this.metrics(
      values.map((value, n) => ({ series: heat, time: at(n), value })),
      more,
    )
  }

  events(events: readonly Event[]): Envelope {
    const payload = zstdCompressSync(encodeLogs(this.#resource, events))
    return this.#next({ payload, samples: 0, events: events.length, encoding: 'otlp-logs-zstd', ...timesOf(events) })
  }

  #next(content: Partial<Envelope>): Envelope {
    this.#seq++
    return envelope(this.#seq, { node: this.node, stream: `${this.#spool}.metrics.${this.#number}`, ...content })
  }
}

function timesOf(all: readonly { readonly time: number }[]) {
  const times = all.map(({ time }) => time)
  return { firstTime: Math.min(...times), lastTime: Math.max(...times) }
}
