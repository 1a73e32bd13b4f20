// What all metrics of GPUs have in common: they tell which GPU, and by what it was read.

import type { SeriesKind } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'

export const identity = ['hw.id', 'hw.name', 'hw.model'] as const

export type Declare = (name: string, unit: string, brief: string, keys?: readonly string[], kind?: SeriesKind) => Metric

/** `all` holds what `gpu` made so far. `origin` is what the values are read from. */
export function declaring(origin: string): { readonly gpu: Declare; readonly all: readonly Metric[] } {
  const all: Metric[] = []
  const gpu: Declare = (name, unit, brief, keys = [], kind = 'gauge') => {
    const made = metric(name, unit, kind, [...identity, ...keys], origin, brief)
    all.push(made)
    return made
  }
  return { gpu, all }
}
