// What one report tells of its drive, collected by those who read its parts.

import type { Attributes, Json } from '../../core/model.ts'
import type { Metric } from '../metric.ts'

/** A value before it is known which series of which drive it belongs to. */
export interface Value {
  readonly metric: Metric
  readonly attributes: Attributes
  readonly value: number
}

/** A count of errors whose growth is news. */
export interface Counter {
  /** Stays the same when smartctl learns a better name. */
  readonly key: string
  readonly name: string
  readonly value: number
  /** It also falls in normal life: pending sectors. */
  readonly falls: boolean
  /** How bad it is when it grows. */
  readonly severity: 'warning' | 'error'
}

/** An entry of a log that the drive keeps. */
export interface Entry {
  /** What tells it from the others of its log. */
  readonly key: string
  readonly severity: 'info' | 'warning' | 'error'
  readonly body: { readonly [key: string]: Json }
}

export const logs = ['errors', 'self_tests'] as const
export type Log = (typeof logs)[number]

export type State = 'ok' | 'degraded' | 'predicted_failure' | 'failed'
export const states: readonly State[] = ['ok', 'degraded', 'predicted_failure', 'failed']

export class Told {
  readonly values: Value[] = []
  readonly counters: Counter[] = []
  /** Why the drive is not ok, in words. */
  readonly reasons: string[] = []
  /** A log that could not be read is absent. */
  readonly logs = new Map<Log, Entry[]>()
  /** Undefined where the drive gives no verdict. */
  state: State | undefined

  /** A value that is absent is not told. */
  value(metric: Metric, value: number | undefined, attributes: Attributes = {}): void {
    if (value !== undefined) this.values.push({ metric, attributes, value })
  }

  counter(counter: Omit<Counter, 'value'>, value: number | undefined): void {
    if (value !== undefined) this.counters.push({ ...counter, value })
  }

  /** The worst of what is said counts. */
  is(state: State, reason?: string): void {
    if (this.state === undefined || states.indexOf(state) > states.indexOf(this.state)) this.state = state
    if (reason !== undefined) this.reasons.push(reason)
  }

  entries(log: Log, entries: readonly Entry[]): void {
    this.logs.set(log, [...(this.logs.get(log) ?? []), ...entries])
  }
}

/** What there is of `fields`; a body has no undefined. */
export function defined(fields: Readonly<Record<string, Json | undefined>>): { readonly [key: string]: Json } {
  return Object.fromEntries(Object.entries(fields).filter((f): f is [string, Json] => f[1] !== undefined))
}
