// What a collector's configuration may say.

import { address, defaultState, loopbackAddress, nodeName, secretFile } from '../core/config-shapes.ts'
import { type Kind, type Part, parts } from '../core/parts.ts'
import {
  absolutePath,
  duration,
  integer,
  list,
  matching,
  object,
  oneOf,
  optional,
  Place,
  refined,
  type Shape,
  size,
  text,
} from '../core/shape.ts'

const GiB = 1024 ** 3
const MiB = 1024 ** 2

/** Brokers to reach the edge through, tried in turn. */
export interface MqttConfig {
  readonly brokers: readonly string[]
  readonly tenant: string
  readonly username: string | undefined
  readonly password_file: string | undefined
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** What one node may send; more is told to wait. */
export interface LimitsConfig {
  readonly bytes_per_second: number
  readonly samples_per_second: number
  readonly series: number
}

export interface CollectorConfig {
  readonly daemon: 'collector'
  /** `host:port` of the page, the API, OTLP/HTTP and /metrics. */
  readonly listen: string
  readonly mqtt: MqttConfig | undefined
  /** A broker inside the collector, on loopback. */
  readonly broker: { readonly listen: string } | undefined
  readonly state: string
  readonly retention: {
    /** ms */
    readonly age: number
    readonly max_bytes: number
  }
  readonly limits: LimitsConfig
  readonly detectors: readonly Part[]
}

const broker = matching(
  /^mqtts?:\/\/[^\s/@]+$/,
  'a broker such as mqtts://broker.example:8883, without user and password',
)

const mqtt: Shape<MqttConfig> = refined(
  object({
    brokers: list(broker, 16),
    tenant: optional(nodeName, 'default'),
    username: optional(text),
    password_file: optional(secretFile),
    ca: optional(absolutePath),
    cert: optional(absolutePath),
    key: optional(secretFile),
  }),
  (value, place) => {
    if (value.brokers.length === 0) place.at('brokers').wrong('name at least one broker')
    if ((value.cert === undefined) !== (value.key === undefined)) place.wrong('cert and key belong together')
  },
)

const retention = object({
  age: optional(duration(3_600_000), 30 * 86_400_000),
  max_bytes: optional(size(64 * MiB), 20 * GiB),
})

const limits: Shape<LimitsConfig> = object({
  bytes_per_second: optional(size(1), 4 * MiB),
  samples_per_second: optional(integer(1, 10_000_000), 50_000),
  series: optional(integer(1, 1_000_000), 20_000),
})

export function collectorConfig(detectors: readonly Kind[]): Shape<CollectorConfig> {
  const all = object({
    daemon: oneOf(['collector']),
    listen: optional(address, '127.0.0.1:8180'),
    mqtt: optional(mqtt),
    broker: optional(object({ listen: optional(loopbackAddress, '127.0.0.1:1883') })),
    state: optional(absolutePath, defaultState('collector')),
    retention: optional(retention, retention.read({}, new Place())),
    limits: optional(limits, limits.read({}, new Place())),
    detectors: optional(parts(detectors, 'detector'), []),
  })
  return refined(all, (value, place) => {
    if (value.mqtt && value.broker) place.at('broker').wrong('give mqtt or broker, not both')
  })
}
