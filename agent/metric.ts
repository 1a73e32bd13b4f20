// What a source can tell, declared once: its series are made of these declarations, and so is docs/metrics.md.

import type { Attributes, Series, SeriesKind } from '../core/model.ts'

export interface Metric {
  /** OpenTelemetry semantic-convention name where one exists, else one in their style. */
  readonly name: string
  /** UCUM */
  readonly unit: string
  readonly kind: SeriesKind
  /** Keys that a series of it may have, beside those that configuration adds. */
  readonly attributes: readonly string[]
  /** The file or the command it is read from: `/proc/stat`. */
  readonly origin: string
  /** A few words for docs/metrics.md. */
  readonly brief: string
  /** A series of it: made once and kept. */
  of(attributes?: Attributes): Series
}

export interface EventKind {
  readonly name: string
  readonly attributes: readonly string[]
  readonly origin: string
  readonly brief: string
}

export function metric(
  name: string,
  unit: string,
  kind: SeriesKind,
  attributes: readonly string[],
  origin: string,
  brief: string,
): Metric {
  return { name, unit, kind, attributes, origin, brief, of: (of = {}) => ({ name, unit, kind, attributes: of }) }
}
