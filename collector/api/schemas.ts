// The one description of what goes out, and in `given.ts` of what goes in: fastify validates and serialises with these, and
// the OpenAPI document is made from them. A schema with a `title` becomes a named component there.

import { seriesKinds, severities } from '../../core/model.ts'
import { counts, media } from '../../judge/disks/reading.ts'
import { grounds } from '../../judge/incidents/cause.ts'
import { levels } from '../../judge/incidents/place.ts'
import { diskRisks, diskTrends, nodeStates } from './view.ts'

export interface Schema {
  readonly [key: string]: unknown
  readonly title?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
}

const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
const count: Schema = { type: 'integer', minimum: 0 }
const time: Schema = { type: 'integer', description: 'Milliseconds since the Unix epoch.' }
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema.type, 'null'] })
const listOf = (items: Schema): Schema => ({ type: 'array', items })

/** A closed object, everything required. */
function closed(title: string | undefined, properties: Readonly<Record<string, Schema>>): Schema {
  const shape = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
  return title === undefined ? shape : { title, ...shape }
}

const attributes: Schema = {
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
  description: 'OpenTelemetry attributes.',
}
const simulated: Schema = { ...flag, description: 'The data comes from a simulator, not from a real device.' }
const severity: Schema = { type: 'string', enum: severities }

export const failure = closed('Error', { error: { ...text, description: 'What was wrong, and what is allowed.' } })

export const node = closed('Node', {
  name: text,
  state: { type: 'string', enum: nodeStates },
  simulated,
  firstSeen: time,
  lastSeen: time,
  samplesPerSecond: { type: 'number' },
  samples: { ...count, description: 'Stored since it was first seen.' },
  series: count,
  openFindings: count,
  attributes,
})

const series = closed('Series', {
  id: { ...count, description: 'Names the series in /api/query.' },
  node: text,
  name: { ...text, description: 'OpenTelemetry metric name.' },
  unit: { ...text, description: 'UCUM unit.' },
  kind: { type: 'string', enum: seriesKinds },
  attributes,
  simulated,
  firstTime: time,
  lastTime: time,
})

const findingSeries: Schema = {
  ...closed(undefined, { id: orNull(count), name: text, unit: text, attributes }),
  type: ['object', 'null'],
  description: 'The series it is about, or null where it is about the node; id is null once its data is gone.',
}

const finding = closed('Finding', {
  id: text,
  rule: text,
  kind: { ...text, description: "The detector's name." },
  node: text,
  series: findingSeries,
  simulated,
  severity,
  since: time,
  until: { ...orNull(time), description: 'When it ended, ms since the Unix epoch; null while it lasts.' },
  message: text,
  incident: { ...orNull(text), description: 'The incident it belongs to.' },
  muted: { ...orNull(text), description: 'The mute that it fell under; then it opened no incident.' },
  lowered: { ...orNull(text), description: 'The feedback "not a problem" that it falls under.' },
  evidence: { type: 'object', additionalProperties: { type: ['number', 'string'] } },
})

const place: Schema = {
  type: 'object',
  additionalProperties: text,
  description: `Of ${levels.join(', ')}, what is known.`,
}

const pattern = closed(undefined, {
  rule: text,
  metric: { ...orNull(text), description: 'null: findings about a node as a whole.' },
  node: { ...orNull(text), description: 'This node; null where it is about a place.' },
  place: { ...place, type: ['object', 'null'] },
  severity: { ...severity, description: 'The most severe that it is about.' },
})

export const feedback = closed('Feedback', {
  id: { ...text, description: 'That of the incident or finding.' },
  about: { type: 'string', enum: ['incident', 'finding'] },
  at: time,
  note: text,
  patterns: listOf(pattern),
})

const cause: Schema = {
  ...closed('Cause', {
    finding,
    ground: { type: 'string', enum: grounds },
    after: { ...count, description: 'Milliseconds after the earliest finding.' },
    reason: { ...text, description: 'One sentence for a person.' },
  }),
}

const ofIncident = {
  id: text,
  severity,
  since: { ...time, description: 'When its earliest finding began.' },
  latest: { ...time, description: 'When its latest finding began.' },
  until: { ...orNull(time), description: 'When the last of its findings ended; null while one is open.' },
  findings: { ...count, description: 'All that ever belonged to it.' },
  openFindings: count,
  lowered: { ...count, description: 'Findings of it that were called "not a problem".' },
  hosts: count,
  nodes: { ...listOf(text), description: 'The first hundred.' },
  place,
  common: { ...orNull(text), description: 'The rule that many hosts broke at one moment, or * for many rules.' },
  into: { ...orNull(text), description: 'The incident it turned out to be a part of.' },
  simulated,
  cause: { anyOf: [cause, { type: 'null' }], description: 'A guess.' },
  feedback: { anyOf: [feedback, { type: 'null' }] },
}

const incident = closed('Incident', ofIncident)

const detail = closed('IncidentDetail', {
  ...ofIncident,
  evidence: { ...listOf(finding), description: 'Findings that may be its cause, the likeliest first.' },
  charts: { ...listOf(series), description: 'Series to look at.' },
  from: { ...time, description: 'When to look at them.' },
  to: time,
  timeline: {
    ...listOf(finding),
    description: 'Its findings in the order in which they began, the first 500 that are kept.',
  },
  more: { ...flag, description: 'It had more findings than the time line.' },
})

const event = closed('Event', {
  node: text,
  name: text,
  time,
  severity,
  body: { description: 'Any JSON.' },
  attributes,
  simulated,
})

const vitals = closed('Vitals', {
  time,
  startedAt: time,
  version: text,
  samplesPerSecond: { type: 'number' },
  samples: { ...count, description: 'Committed since the start.' },
  p99Ms: { type: ['number', 'null'], description: 'Sample time to commit, 99th percentile, ms.' },
  series: count,
  openFindings: count,
  openIncidents: count,
})

const real: Schema = { type: 'number' }
const risk: Schema = { type: ['string', 'null'], enum: [...diskRisks, null] }
const wear: Schema = {
  ...closed(undefined, {
    used: { ...real, description: 'Share of the endurance that its maker promises; may pass 1.' },
    known: flag,
    from: { ...orNull(time), description: 'When it is worn out at the earliest; null: unknown, or in 20 years.' },
    at: orNull(time),
    to: orNull(time),
    sentence: text,
  }),
  type: ['object', 'null'],
  description: 'Of flash that tells its wear.',
}

const diskFields = {
  id: { ...text, description: 'Stays the same wherever the drive is.' },
  node: text,
  device: { ...orNull(text), description: 'Its name there today.' },
  vendor: orNull(text),
  model: orNull(text),
  serial: orNull(text),
  medium: { type: 'string', enum: media },
  simulated,
  terabytes: orNull(real),
  hours: { ...orNull(real), description: 'Under power.' },
  readAt: { ...orNull(time), description: 'When it was read last, ms since the Unix epoch.' },
  asleep: flag,
  gone: { ...orNull(time), description: 'When its node said that it is gone, ms since the Unix epoch.' },
  risk: { ...risk, description: 'The gravest of its score, its wear and what it says itself; null: calm.' },
  known: { ...flag, description: 'Whether there is a score; `sentence` says why not.' },
  probability: { ...orNull(real), description: 'Of failing within 30 days.' },
  level: { ...risk, description: 'Of the score.' },
  trend: { type: 'string', enum: diskTrends },
  sentence: text,
  reasons: { ...listOf(text), description: 'What raises the score, the heaviest first.' },
  says: { ...listOf(text), description: 'What it says of itself that is not well.' },
  wear,
}
const disk = closed('Disk', diskFields)
const growth = closed(undefined, { time, by: count })
const diskCount = closed('DiskCount', {
  name: { type: 'string', enum: counts },
  value: count,
  first: { ...count, description: 'When the drive was first seen.' },
  grown7: { ...count, description: 'In the last 7 days.' },
  grown30: count,
  grown120: count,
  grownAt: orNull(time),
  growth: { ...listOf(growth), description: 'Day by day, within 120 days.' },
})
export const diskDetail = closed('DiskDetail', {
  ...diskFields,
  since: { ...time, description: 'When it was first read, ms since the Unix epoch.' },
  nodes: { ...listOf(text), description: 'Where it was, the newest first.' },
  counts: listOf(diskCount),
  scores: { ...listOf(closed(undefined, { time, probability: real })), description: 'One a day, at most 30.' },
  series: { ...listOf(series), description: 'What history has of it: its score and what it goes by.' },
})
const diskSummary = closed('DiskSummary', {
  drives: { ...count, description: 'Known; scored, unknown and gone together are all.' },
  scored: count,
  unknown: count,
  gone: count,
  watch: count,
  warning: count,
  critical: count,
})

const column: Schema = { type: 'array', items: { type: ['number', 'null'] } }
const values = closed(undefined, { id: count, min: column, max: column, mean: column })
const rates = closed(undefined, { id: count, rate: { ...column, description: 'Per second.' } })

export const answers = {
  nodes: closed(undefined, { nodes: listOf(node) }),
  series: closed(undefined, {
    series: listOf(series),
    more: { ...flag, description: 'There are more than `limit`.' },
  }),
  query: closed('Query', {
    from: time,
    to: time,
    step: { type: 'number', description: 'Milliseconds a bucket.' },
    times: {
      type: 'array',
      items: { type: 'number' },
      description: 'Starts of the buckets; the first may begin before `from`.',
    },
    series: { type: 'array', items: { anyOf: [values, rates] } },
    unknown: { ...listOf(count), description: 'Ids that were asked for and have no data any more.' },
  }),
  findings: closed(undefined, { findings: listOf(finding) }),
  incidents: closed(undefined, { incidents: listOf(incident) }),
  incident: detail,
  feedback: closed(undefined, { feedback: listOf(feedback) }),
  taken: closed(undefined, { taken: { type: 'boolean', enum: [true] } }),
  events: closed(undefined, { events: listOf(event) }),
  disks: closed(undefined, {
    disks: listOf(disk),
    more: { ...flag, description: 'There are more than `limit`.' },
    summary: diskSummary,
  }),
  tick: closed('Tick', {
    vitals,
    nodes: listOf(node),
    findings: listOf(finding),
    incidents: listOf(incident),
    events: listOf(event),
  }),
  health: closed(undefined, { status: { type: 'string', enum: ['ok'] }, time }),
  document: { type: 'object', additionalProperties: true } satisfies Schema,
} as const
