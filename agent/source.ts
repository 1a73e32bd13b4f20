// The contract of a source: whatever reads a device. A source imports core and its own codec, nothing else of ours.

import type { Config } from '../core/config.ts'
import type { Host } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Attributes, Json, Observation } from '../core/model.ts'
import type { Place, Shape } from '../core/shape.ts'
import type { Keep } from './keep.ts'
import type { EventKind, Metric } from './metric.ts'

/** Resolves when the observation is durable in the spool; a throw means the caller still owns it. */
export type Emit = (observation: Observation) => Promise<void>

export interface Source<Options> {
  /** The one name: config key `type`, file name, attribute `source`, log field. */
  readonly name: string
  /** What its configuration may say; defaults live here. */
  readonly options: Shape<Options>
  /**
   * Its part of a configuration file, before it is checked: with what it names in other files in its place. `read` reads
   * such a file. Mistakes in the part go to `place`. @throws ConfigError for mistakes in a file that it names.
   */
  fillIn?(raw: Readonly<Record<string, unknown>>, place: Place, read: (file: string) => Config): unknown
  /** All that it can tell, for docs/metrics.md; undefined where the configuration or the device names its metrics. */
  readonly metrics: readonly Metric[] | undefined
  readonly events?: readonly EventKind[]
  /** It tells who sends that what was sent is safe, so it must not run where nothing is kept. */
  readonly acknowledges?: true
  /** What holds for all that a host sends, once this source is configured: asked when the agent starts, and then fixed. */
  resource?(host: Host): Attributes
  /**
   * Registers or nodes that `write` takes with these options, by name; each function throws Refused for a value beyond the
   * limits. Asked when a configuration is checked. None where absent.
   */
  writes?(options: Options): Readonly<Record<string, (value: Json) => unknown>>
  /** Called once per configured instance, must not fail on absent hardware and does no I/O yet. */
  open(options: Options, at: Surroundings): Running
}

/** What one configured instance of a source is given. */
export interface Surroundings {
  /** The instance's name: the configured `name`, else the type's. Attribute `source` and log field. */
  readonly name: string
  readonly host: Host
  readonly say: Say
  /** What this instance remembers over restarts. */
  readonly keep: Keep
  /** A folder of this instance for larger things, not made yet; absent where nothing outlives the process. */
  readonly folder?: string
}

/** What a running source can be told to do, by an order or a rule. Resolves with what was read back when the device has done it;
 *  throws Refused where its limits or the device forbid it, anything else where it is not known whether it was done. */
export type Act = (args: Readonly<Record<string, Json>>, signal: AbortSignal) => Promise<Json>

export interface Running {
  /**
   * Reads and emits until `signal` aborts, then releases what it holds and resolves.
   * A throw is this source's failure alone: the edge says it once, and calls `run` again after a back-off.
   */
  run(emit: Emit, signal: AbortSignal): Promise<void>
  /** One reading for `fieldline test`; sources that only listen have none. */
  once?(signal: AbortSignal): Promise<Observation>
  /** By name: `write` ({ to, value }), `call` ({ method, arguments }), `publish` ({ topic, payload }). */
  readonly actions?: Readonly<Record<string, Act>>
}
