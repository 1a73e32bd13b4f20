// Data only; imports nothing. The words are OpenTelemetry's.

/** Attribute values as in OpenTelemetry, scalar only. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

export const seriesKinds = ['gauge', 'counter'] as const
/** `counter` is a cumulative monotonic sum that may reset to a lower value; everything else is a `gauge`. */
export type SeriesKind = (typeof seriesKinds)[number]

/** Declared once by a source and then shared by reference: identity is what makes encoding cheap. */
export interface Series {
  /** OpenTelemetry semantic-convention name where one exists, e.g. `system.cpu.time`. */
  readonly name: string
  /** UCUM unit, e.g. `s`, `By`, `1`, `Cel`. */
  readonly unit: string
  readonly kind: SeriesKind
  readonly attributes: Attributes
}

export interface Sample {
  readonly series: Series
  /** Milliseconds since the Unix epoch, by the clock of whoever read the device. */
  readonly time: number
  /** Finite; a reading that has no value makes no sample. */
  readonly value: number
}

/** How often values fell between bounds, since the start of whoever counts. */
export interface Histogram {
  readonly count: number
  /** Absent where nobody added the values up. */
  readonly sum: number | undefined
  /** Upper bounds, inclusive and rising; the last bucket has none. */
  readonly bounds: readonly number[]
  /** How many fell into each bucket alone: one more than there are bounds. */
  readonly counts: readonly number[]
}

/** Quantiles as the device itself computed them, over a time of its own choosing. */
export interface Summary {
  readonly count: number
  readonly sum: number
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[]
}

/** Many values told as one; its series is a `counter`. A collector keeps a series for each of its numbers. */
export interface Distribution {
  readonly series: Series
  readonly time: number
  readonly value: Histogram | Summary
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export const severities = ['info', 'warning', 'error', 'critical'] as const
export type Severity = (typeof severities)[number]

export interface Event {
  /** Dotted lower-case name, e.g. `fieldline.spool.gap`. */
  readonly name: string
  readonly time: number
  readonly severity: Severity
  readonly body: Json
  readonly attributes: Attributes
}

export interface Observation {
  readonly samples: readonly Sample[]
  readonly distributions?: readonly Distribution[]
  readonly events: readonly Event[]
  /**
   * What it is known by, where it may come again: a sender repeats what it holds for lost. Under the same text it is kept
   * once, and telling it again succeeds. Its first word is the name of the source; of each source as many are remembered, and
   * for as many days, as the spool's configuration says.
   */
  readonly once?: string
}

/** What a finding is about: a node, or one series of a node. */
export interface Subject {
  readonly node: string
  readonly series?: Series
}

/** Something that is going wrong; the same (rule, subject, since) is the same finding. */
export interface Finding {
  /** The rule's configured name. */
  readonly rule: string
  /** The detector's name, e.g. `threshold`. */
  readonly kind: string
  readonly subject: Subject
  readonly severity: Severity
  /** When it began, ms since the epoch. */
  readonly since: number
  /** When it ended; absent while it lasts. */
  readonly until?: number
  /** One sentence for a person. */
  readonly message: string
  /** The numbers the sentence rests on. */
  readonly evidence: Readonly<Record<string, number | string>>
}

/** Something that an edge is told to do by one of its sources. */
export interface Order {
  /** Given by whoever orders, never used twice: an edge does what it names at most once. */
  readonly id: string
  /** The configured name of the source that does it. */
  readonly to: string
  /** `write`, `call`, `publish`, or what else the source can do. */
  readonly action: string
  readonly args: Readonly<Record<string, Json>>
  /** Who gives it: a person, a rule, another system. */
  readonly from: string
  /** ms since the epoch; after `expires` it is not begun any more. */
  readonly issued: number
  readonly expires: number
}

export const outcomeStates = ['done', 'refused', 'unknown'] as const
/** `refused`: certainly not done. `unknown`: nobody can tell whether it was done. */
export type OutcomeState = (typeof outcomeStates)[number]

/** What became of an order. */
export interface Outcome {
  /** The order's. */
  readonly id: string
  readonly state: OutcomeState
  /** Why it was not done, or why nobody knows. */
  readonly reason?: string
  /** What was read back. */
  readonly result?: Json
}
