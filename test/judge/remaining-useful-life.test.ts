import t from 'tap'
import type { Series } from '../../core/model.ts'
import { remainingUsefulLife } from '../../judge/detect/remaining-useful-life.ts'
import { detectorContract } from './detector-contract.ts'

const vibration: Series = { name: 'fan.vibration.rms', unit: 'mm/s', kind: 'gauge', attributes: {} }

detectorContract(t, remainingUsefulLife, { metric: vibration.name }, vibration, {
  levels: [-1, 0, 1.5, 2, 2, 5, 9],
  interval: 60_000,
})
