// What a collector's configuration may say.

import { address, defaultState, loopbackAddress } from '../core/config-shapes.ts'
import { type MqttOptions, mqttOptions } from '../core/mqtt-options.ts'
import { type Kind, type Part, parts } from '../core/parts.ts'
import {
  absolutePath,
  duration,
  integer,
  object,
  oneOf,
  optional,
  Place,
  refined,
  type Shape,
  size,
} from '../core/shape.ts'
import { type Mute, mutes } from '../judge/incidents/mutes.ts'

const GiB = 1024 ** 3
const MiB = 1024 ** 2

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
  /** Brokers to reach the edge through. */
  readonly mqtt: MqttOptions | undefined
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
  /** Planned windows in which findings open no incidents. */
  readonly mutes: readonly Mute[]
}

/** The page, the API, OTLP/HTTP and /metrics. */
export const collectorListen = '127.0.0.1:8180'

const retention = object({
  age: optional(duration(3_600_000), 30 * 86_400_000),
  max_bytes: optional(size(64 * MiB), 20 * GiB),
})

const limits: Shape<LimitsConfig> = object({
  bytes_per_second: optional(size(1), 4 * MiB),
  samples_per_second: optional(integer(1, 10_000_000), 50_000),
  series: optional(integer(1, 1_000_000), 20_000),
})

/** `usual` is what is judged where the configuration names no detectors, as it would stand there. */
export function collectorConfig(detectors: readonly Kind[], usual: readonly unknown[] = []): Shape<CollectorConfig> {
  const rules = parts(detectors, 'detector')
  const all = object({
    daemon: oneOf(['collector']),
    listen: optional(address, collectorListen),
    mqtt: optional(mqttOptions),
    broker: optional(object({ listen: optional(loopbackAddress, '127.0.0.1:1883') })),
    state: optional(absolutePath, defaultState('collector')),
    retention: optional(retention, retention.read({}, new Place())),
    limits: optional(limits, limits.read({}, new Place())),
    detectors: optional(rules, rules.read(usual, new Place())),
    mutes: optional(mutes, []),
  })
  return refined(all, (value, place) => {
    if (value.mqtt && value.broker) place.at('broker').wrong('give mqtt or broker, not both')
  })
}
