// Wear and spare capacity, told alike for each kind of drive.

import { metrics } from './metrics.ts'
import type { Told } from './told.ts'

/** `used` in percent of the rated endurance; a drive may live on above 100. */
export function tellWear(told: Told, used: number | undefined): void {
  if (used === undefined) return
  told.value(metrics.endurance, used / 100, { 'hw.physical_disk.state': 'used' })
  told.value(metrics.endurance, Math.max(0, 100 - used) / 100, { 'hw.physical_disk.state': 'remaining' })
}

/** Percents of the spare capacity; the threshold may be unknown. Emulated drives say 0 of both, which is none. */
export function tellSpare(told: Told, available: number | undefined, threshold: number | undefined): void {
  if (available === undefined || (available === 0 && threshold === 0)) return
  told.value(metrics.spare, available / 100)
  if (threshold !== undefined) told.value(metrics.spareLimit, threshold / 100)
}
