// What a configuration may say of the meaning of messages: clocks, sentinels, what leaves, keys of pseudonyms.

import { secretFile } from '../../core/config-shapes.ts'
import type { Attributes } from '../../core/model.ts'
import {
  duration,
  list,
  matching,
  number,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  scalar,
  shape,
} from '../../core/shape.ts'
import { isZone } from '../../core/time-zone.ts'
import { knownSentinels } from './sentinels.ts'

const waveformModes = ['features', 'raw', 'off'] as const

export interface WardOptions {
  /** Of every series and event of the source. */
  readonly attributes: Attributes
  /** IANA name; of times that name no offset and whose MSH-7 names none either. */
  readonly time_zone: string
  /** How far ahead of the gateway a sender's clock may be, and how old a message, ms. */
  readonly clock_ahead: number
  readonly clock_behind: number
  readonly sentinels: readonly number[]
  /** Codes that are a site's own, `SYSTEM:CODE`, whose values are wanted. */
  readonly local_codes: readonly string[]
  /** Fields whose text may leave, such as `PV1-3`. */
  readonly forward: readonly string[]
  readonly waveforms: (typeof waveformModes)[number]
  /** File of the pseudonyms' keys; without it patients and visits are left out. */
  readonly key_file: string | undefined
  /** ms that a key is still read after the next one took over. */
  readonly key_overlap: number
}

const day = 86_400_000

const zone = shape('a time zone such as Europe/Berlin', raw =>
  typeof raw === 'string' && isZone(raw) ? raw : undefined,
)
const localCode = matching(/^[A-Za-z0-9._-]{1,40}:[A-Za-z0-9._-]{1,40}$/, 'a code with its system, such as 99LAB:GLU')
const fieldName = matching(
  /^(?:(?:PID|PV1|PV2|EVN)-[1-9]\d?|OBX-5|OBX-18)$/,
  'a field of PID, PV1, PV2 or EVN such as PV1-3, OBX-5 or OBX-18',
)

/** Places and devices: without them a reading is of no use. */
const usualForward: readonly string[] = ['PV1-3', 'OBX-18']

/** For a source's own object: `object({ ...wardFields, ... })`. */
export const wardFields = {
  attributes: optional(record(scalar), {}) as Shape<Attributes>,
  time_zone: optional(zone, 'UTC'),
  clock_ahead: optional(duration(1000, day), 120_000),
  clock_behind: optional(duration(60_000, 3650 * day), 7 * day),
  sentinels: optional(list(number, 1000), knownSentinels),
  local_codes: optional(list(localCode, 10_000), []),
  forward: optional(list(fieldName, 200), usualForward),
  waveforms: optional(oneOf(waveformModes), 'features'),
  key_file: optional(secretFile),
  key_overlap: optional(duration(0, 3650 * day), 30 * day),
}

export const wardOptions: Shape<WardOptions> = object(wardFields)
