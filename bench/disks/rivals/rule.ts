// The rule of thumb: any of the attributes 5, 187, 188, 197 and 198 above nought.

import type { Past } from '../../../judge/disks/past.ts'

const asked = ['reallocated', 'uncorrected', 'timeouts', 'pending', 'unreadable'] as const

export function byRule(past: Past): 0 | 1 {
  return asked.some(name => (past.counts[name]?.value ?? 0) > 0) ? 1 : 0
}
