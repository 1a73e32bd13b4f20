// The contract of a detector: pure, no clock, no I/O. Replaying the same samples gives the same verdicts.

import type { Series, Severity } from '../core/model.ts'
import type { Shape } from '../core/shape.ts'

/**
 * `undefined`: nothing new. `since`: it is going wrong since then; the same `since` again tells more of the same trouble.
 * `until`: what was wrong ended then.
 */
export type Verdict =
  | undefined
  | { readonly since: number; readonly message: string; readonly evidence: Readonly<Record<string, number | string>> }
  | { readonly until: number }

export const scopes = ['series', 'node', 'group'] as const
/**
 * `series`: one state for each series watched, and every sample of it a step.
 * `node`: one state for each node; a step is all that came at once, with the time of its newest sample or event and
 * how many there were.
 * `group`: one state for all the series watched of a node, and every sample of each a step, told with its series. Series
 * come and go. Times of one series never fall; between series they may.
 */
export type Scope = (typeof scopes)[number]

export interface Detector<State> {
  readonly scope: Scope
  readonly severity: Severity
  /**
   * Whether this detector watches the series; asked once a series. In scope `node` there is no series. In scope `group`
   * it is also asked without one: whether it may watch any series of the node.
   */
  watches(node: string, series: Series | undefined): boolean
  /** State is plain JSON data: it is checkpointed, or what `save` makes of it, and handed back after a restart. */
  start(series: Series | undefined): State
  /**
   * Sees each sample once, times falling only after `setBack`, values finite; changes `state` in place and says what changed.
   * `series`: in scope `group`, always the same object for the same series.
   */
  step(state: State, time: number, value: number, series?: Series): Verdict
  /**
   * Called about once a second, for what shows only by absence. `now` is by the clock of the samples: for a series the
   * newest time of its node (a node that is quiet as a whole makes none of its series quiet), for a node or group the present.
   */
  idle?(state: State, now: number): Verdict
  /** Where another form of the state is checkpointed, JSON too; `restore` gives undefined for what it cannot read. */
  save?(state: State): unknown
  restore?(saved: unknown): State | undefined
  /**
   * The clock of the samples was set back and goes on at `time`: changes `state` in place so that it keeps what it has learned,
   * and knows of no trouble any more. One that learns nothing has none: it starts afresh. In scope `group` called for each series.
   */
  setBack?(state: State, time: number): void
}

export interface DetectorType<Options> {
  readonly name: string
  readonly options: Shape<Options>
  open(options: Options): Detector<unknown>
}
