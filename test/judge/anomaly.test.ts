import t from 'tap'
import type { Series } from '../../core/model.ts'
import { anomaly } from '../../judge/detect/anomaly.ts'
import { detectorContract } from './detector-contract.ts'

const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: {} }
const bytes: Series = { name: 'system.network.io', unit: 'By', kind: 'counter', attributes: {} }

detectorContract(t, anomaly, { false_alarms: 1000 }, heat)
detectorContract(t, anomaly, { false_alarms: 1000 }, bytes)
