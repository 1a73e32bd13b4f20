// Work over many small files (thousands of processes or cgroups) in slices: between two of them everybody else has a turn,
// and the rests are so long that the work takes at most a tenth of one CPU. What has more to do than fits into its
// interval then comes late, which `fieldline.source.skipped` counts, instead of taking the machine.

import type { Host } from '../core/host.ts'

/** ms of work at a stretch, and how many times as long the rest after it is. */
const stretch = 5
const restFactor = 9

export interface Pace {
  /** Called between two small steps: undefined while the stretch lasts, else a rest to be awaited. */
  step(signal: AbortSignal): Promise<void> | undefined
}

export function pace(host: Pick<Host, 'monotonic' | 'sleep'>): Pace {
  let began = host.monotonic()

  const rest = async (worked: number, signal: AbortSignal): Promise<void> => {
    await host.sleep(worked * restFactor, signal)
    began = host.monotonic()
  }
  return {
    step(signal) {
      const worked = host.monotonic() - began
      return worked < stretch ? undefined : rest(worked, signal)
    },
  }
}
