// The spool's rules as plain arrays: what the random-operations test compares with.

import { rowOverhead } from '../../../agent/spool/tables.ts'
import type { Lane } from '../../../agent/spool.ts'

export interface ModelRow {
  readonly seq: number
  readonly label: string
  readonly size: number
  readonly time: number
}

export interface ModelStream {
  /** As the spool calls it, once it was seen. */
  name: string | undefined
  readonly lane: Lane
  rows: ModelRow[]
  last: number
  floor: number
  own: boolean
  readonly places: Map<string, number>
}

export class Model {
  readonly uplinks: readonly string[]
  readonly maxBytes: number
  readonly refuses: boolean
  streams: ModelStream[] = []
  current: Partial<Record<Lane, ModelStream>> = {}
  shed = 0

  constructor(uplinks: readonly string[], maxBytes: number, refuses: boolean) {
    this.uplinks = uplinks
    this.maxBytes = maxBytes
    this.refuses = refuses
  }

  bytes(): number {
    return this.streams.reduce((sum, { rows }) => sum + rows.reduce((size, row) => size + row.size, 0), 0)
  }

  rows(): number {
    return this.streams.reduce((sum, { rows }) => sum + rows.length, 0)
  }

  fits(payload: number): boolean {
    return !this.refuses || this.bytes() + payload + rowOverhead <= this.maxBytes
  }

  put(lane: Lane, label: string, payload: number, time: number): void {
    const stream = this.current[lane] ?? this.#open(lane)
    stream.last++
    stream.rows.push({ seq: stream.last, label, size: payload + rowOverhead, time })
  }

  #open(lane: Lane): ModelStream {
    const stream = { name: undefined, lane, rows: [], last: 0, floor: 0, own: true, places: new Map() }
    this.streams.push(stream)
    this.current[lane] = stream
    return stream
  }

  shedFull(): void {
    while (!this.refuses && this.bytes() > this.maxBytes) {
      const lanes = ['metrics', 'events'] as const
      const victims = lanes.flatMap(lane => this.streams.filter(s => s.lane === lane && s.rows.length > 0))
      this.#cut(victims[0]!, 1)
    }
  }

  shedAged(before: number): void {
    for (const stream of this.streams) {
      const young = stream.rows.findIndex(row => row.time >= before)
      this.#cut(stream, young < 0 ? stream.rows.length : young)
    }
  }

  #cut(stream: ModelStream, count: number): void {
    if (count === 0) return
    stream.floor = stream.rows[count - 1]!.seq
    stream.rows.splice(0, count)
    this.shed += count
  }

  /** What the uplink should be given, in order; `previous` is the row before, whether the uplink is done with it or not. */
  waiting(uplink: string): { stream: ModelStream; row: ModelRow; previous: number }[] {
    const of = (lane: Lane): ModelStream[] => {
      const { [lane]: now } = this.current
      const older = this.streams.filter(stream => stream.lane === lane && stream !== now)
      return now === undefined ? older : [now, ...older]
    }
    return [...of('events'), ...of('metrics')].flatMap(stream =>
      stream.rows
        .map((row, at) => ({ stream, row, previous: stream.rows[at - 1]?.seq ?? 0 }))
        .filter(({ row }) => row.seq > (stream.places.get(uplink) ?? 0)),
    )
  }

  settle(uplink: string, name: string, committed: number): void {
    const stream = this.streams.find(s => s.name === name)
    if (stream === undefined || (committed > stream.last && stream.own)) return
    stream.places.set(uplink, Math.min(committed, stream.last))
    const slowest = Math.min(...this.uplinks.map(name => stream.places.get(name) ?? 0))
    stream.floor = Math.max(stream.floor, slowest)
    stream.rows = stream.rows.filter(row => row.seq > stream.floor)
  }

  /** A new process: streams with rows stay, nothing is current. */
  restart(): void {
    this.current = {}
    this.streams = this.streams.filter(stream => stream.rows.length > 0)
    for (const stream of this.streams) {
      stream.own = false
      stream.last = stream.rows.at(-1)!.seq
    }
  }
}
