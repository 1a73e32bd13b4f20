// What a scene puts in front of its gateway: simulated devices, how they are read and acted on, and what happens to them.

import type { Texts } from '../texts.ts'

export interface Stage {
  /** The gateway's name. */
  readonly node: string
  /** Parts of the gateway's configuration, as a user would write them. */
  readonly sources: readonly object[]
  readonly rules: readonly object[]
  /** Part of the collector's. */
  readonly detectors: readonly object[]
  /** Whether an agent reads this host, too. */
  readonly host: boolean
  /** Lets happen what is to be seen, until the signal aborts; called when all runs. */
  play(tell: Tell, signal: AbortSignal): void
  /** When the fault that was asked for came; undefined before. */
  faultAt?(): number | undefined
  close(): Promise<void>
}

/** Says one line on the terminal, in the caller's language. */
export type Tell = (text: (said: Texts['said']['scene']) => string) => void

/** What a stage is given: a folder of its own, and whom to tell what happens at once. */
export interface StageOptions {
  readonly folder: string
  /** Something is to break, soon. */
  readonly fault: boolean
}

/** Calls `change` with true and, some time later, with false, again and again: both in ms since the start. */
export function nowAndThen(
  { first, every, lasts }: { readonly first: number; readonly every: number; readonly lasts: number },
  signal: AbortSignal,
  change: (on: boolean) => void,
): void {
  let timer = setTimeout(() => turn(true), first)
  const turn = (on: boolean): void => {
    change(on)
    timer = setTimeout(() => turn(!on), on ? lasts : every - lasts)
  }
  signal.addEventListener('abort', () => clearTimeout(timer))
}
