// A source that follows the simulated line without encryption, and what it has told so far by name.

import type { Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import type { Event, Sample } from '../../../core/model.ts'
import { lineNamespace } from '../../../gateway/opcua/simulated-line.ts'
import { type Following, folder, follow, quick } from './following.ts'

export interface OnTheLine extends Pick<Following, 'actions' | 'said' | 'stop'> {
  /** Of a series, in the order told. */
  samples(name: string): readonly Sample[]
  events(name: string): readonly Event[]
  until(holds: () => boolean): Promise<void>
}

export interface Reading {
  readonly url: string
  readonly nodes: readonly Readonly<Record<string, unknown>>[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly keep?: Keep
}

/** `nsu=...;s=Tank.Level` */
export function lineNode(name: string): string {
  return `nsu=${lineNamespace};s=${name}`
}

export function onTheLine(t: Test, { url, nodes, options = {}, keep = memoryKeep() }: Reading): OnTheLine {
  const security = { mode: 'None', folder: folder(t) }
  const { actions, said, stop, samples, events, until } = follow(
    t,
    { url, security, ...quick, ...options, nodes },
    keep,
  )
  return {
    actions,
    said,
    stop,
    samples: name => samples.filter(({ series }) => series.name === name),
    events: name => events.filter(event => event.name === name),
    until: holds => until(String(holds), () => holds() || undefined).then(() => {}),
  }
}
