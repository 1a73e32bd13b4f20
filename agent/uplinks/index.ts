// THE list: one line an uplink. What each needs beyond Node (mqtt) is loaded when it first connects.

import type { UplinkType } from '../uplink.ts'
import { fhirUplink } from './fhir.ts'
import { mqttUplink } from './mqtt.ts'
import { otlpUplink } from './otlp.ts'

export const uplinks: readonly UplinkType<unknown>[] = [mqttUplink, otlpUplink, fhirUplink]
