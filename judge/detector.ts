// The contract of a detector: pure, no clock, no I/O. Replaying the same samples gives the same verdicts.

import type { Series } from '../core/model.ts'
import type { Shape } from '../core/shape.ts'

/** `undefined`: nothing to say. `since`: it is going wrong since then. `until`: what was wrong ended then. */
export type Verdict =
  | undefined
  | { readonly since: number; readonly message: string; readonly evidence: Readonly<Record<string, number | string>> }
  | { readonly until: number }

export interface Detector<State> {
  /** Whether this detector watches the series; asked once a series. */
  watches(node: string, series: Series): boolean
  /** State is plain JSON data: it is checkpointed and handed back after a restart. */
  start(series: Series): State
  /** Sees each sample once, times never falling; changes `state` in place and says what changed. */
  step(state: State, time: number, value: number): Verdict
  /** Called about once a second with the collector's time, for what shows only by absence. */
  idle?(state: State, now: number): Verdict
}

export interface DetectorType<Options> {
  readonly name: string
  readonly options: Shape<Options>
  open(options: Options): Detector<unknown>
}
