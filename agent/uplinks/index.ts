// THE list: one line an uplink. What each needs beyond Node (mqtt) is loaded when it first connects.

import type { UplinkType } from '../uplink.ts'
import { fhirUplink } from './fhir.ts'
import { mqttUplink } from './mqtt.ts'
import { mqttTopicsUplink } from './mqtt-topics.ts'
import { otlpUplink } from './otlp.ts'
import { sparkplugUplink } from './sparkplug.ts'

export const uplinks: readonly UplinkType<unknown>[] = [
  mqttUplink,
  mqttTopicsUplink,
  otlpUplink,
  fhirUplink,
  sparkplugUplink,
]
