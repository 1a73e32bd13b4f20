// Drives as a view tells them, for the tests of the API and the page.

import type { DiskDetail } from '../../../collector/api/view.ts'
import { type CountName, counts as names } from '../../../judge/disks/reading.ts'

const day = 86_400_000

interface Given extends Partial<Omit<DiskDetail, 'counts'>> {
  readonly probability: number | null
  /** By name; half of each is of the last weeks. */
  readonly counts?: Readonly<Partial<Record<CountName, number>>>
}

export function disk(id: string, now: number, { counts = {}, ...given }: Given): DiskDetail {
  const known = given.probability !== null
  const counted = names.flatMap(name => (counts[name] === undefined ? [] : [{ name, value: counts[name] }]))
  const reasons = counted.map(({ name, value }) => `${value} ${name} sectors, 56 more in 7 days`)
  const unknown = 'whether it will fail is unknown: it is flash, and the model was trained on spinning disks'
  return {
    id,
    node: 'packing-2',
    device: '/dev/sda',
    vendor: 'Seagate',
    model: 'ST4000DM000',
    serial: `Z30${id}`,
    medium: known ? 'spinning' : 'flash',
    simulated: false,
    terabytes: 4,
    hours: 25_000,
    readAt: now - 200_000,
    asleep: false,
    gone: null,
    risk: null,
    known,
    level: given.risk ?? null,
    trend: known ? 'steady' : 'unknown',
    sentence: known
      ? `fails within 30 days with a probability of ${given.probability}: ${reasons.join('; ')}`
      : unknown,
    reasons,
    says: [],
    wear: null,
    since: now - 400 * day,
    nodes: [given.node ?? 'packing-2'],
    counts: counted.map(({ name, value }) => ({
      name,
      value,
      first: 0,
      grown7: 56,
      grown30: 80,
      grown120: value,
      grownAt: now - day,
      growth: [{ time: now - day, by: value / 2 }],
    })),
    scores: known ? [{ time: now - day, probability: given.probability! }] : [],
    series: [],
    ...given,
  }
}
