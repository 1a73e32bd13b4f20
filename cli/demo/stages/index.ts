// THE list of scenes; each loads when it is asked for.

import type { Stage, StageOptions } from '../stage.ts'

export const stages = {
  press: async () => (await import('./press.ts')).openPress,
  plant: async () => (await import('./plant.ts')).openPlant,
  ward: async () => (await import('./ward.ts')).openWard,
} as const satisfies Readonly<Record<string, () => Promise<(options: StageOptions) => Promise<Stage>>>>

export type StageName = keyof typeof stages
