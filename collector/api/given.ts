// What may be asked, described for fastify and for the OpenAPI document; `schemas.ts` has the answers.

import { flag, type Schema } from './schemas.ts'
import { readings } from './view.ts'

const maxIds = 500
const maxBuckets = 2000
/** The year 2200: whatever is later is a mistake. */
const lastTime = 7_258_118_400_000

const nodeName: Schema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'a node name: letters, digits, `.`, `_`, `-`, at most 64',
}
const incidentId: Schema = {
  type: 'string',
  pattern: '^[0-9a-f]{12}$',
  description: 'the id of an incident: twelve hexadecimal digits',
}
const thingId: Schema = {
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{12,22}$',
  description: 'the id of an incident or a finding, as /api/incidents and /api/findings give it',
}
const moment: Schema = {
  type: 'integer',
  minimum: 0,
  maximum: lastTime,
  description: 'milliseconds since the Unix epoch, before the year 2200; `from` must be before `to`',
}

function limit(most: number, usual: number): Schema {
  return {
    type: 'integer',
    minimum: 1,
    maximum: most,
    default: usual,
    description: `a whole number from 1 to ${most}, ${usual} if absent`,
  }
}

function inputs(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required, additionalProperties: false }
}

export const given = {
  node: inputs({ node: nodeName }, ['node']),
  series: inputs({
    node: nodeName,
    name: { type: 'string', minLength: 1, maxLength: 255, description: 'a metric name, at most 255 characters' },
    limit: limit(10_000, 1000),
  }),
  query: inputs(
    {
      series: {
        type: 'string',
        pattern: `^\\d{1,15}(,\\d{1,15}){0,${maxIds - 1}}$`,
        description: `1 to ${maxIds} series ids with commas between them, as /api/series gives them`,
      },
      from: moment,
      to: moment,
      buckets: limit(maxBuckets, 300),
      as: {
        type: 'string',
        enum: readings,
        default: 'value',
        description: 'value (min, max, mean) or rate (per second, counters only)',
      },
    },
    ['series', 'from', 'to'],
  ),
  findings: inputs({
    open: { ...flag, description: 'true for open ones only, false for closed ones only, both if absent' },
    node: nodeName,
    limit: limit(1000, 200),
  }),
  disks: inputs({ node: nodeName, limit: limit(10_000, 200) }),
  disk: inputs(
    {
      disk: { type: 'string', minLength: 1, maxLength: 300, description: 'the id of a drive, as /api/disks gives it' },
    },
    ['disk'],
  ),
  incidents: inputs({
    open: { ...flag, description: 'true for open ones only, false for those that are over, both if absent' },
    limit: limit(1000, 200),
  }),
  incident: inputs({ incident: incidentId }, ['incident']),
  feedback: inputs({ feedback: thingId }, ['feedback']),
  about: {
    ...inputs({
      incident: incidentId,
      finding: thingId,
      note: { type: 'string', maxLength: 500, description: 'why, in at most 500 characters' },
    }),
    minProperties: 1,
  },
  events: inputs({ node: nodeName, from: moment, to: moment, limit: limit(1000, 200) }),
} as const
