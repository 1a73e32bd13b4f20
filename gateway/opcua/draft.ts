// What comes of one notification or one reading: filled by whoever takes values, then emitted as a whole.

import type { Event, Sample } from '../../core/model.ts'

export interface Draft {
  readonly samples: Sample[]
  readonly events: Event[]
}
