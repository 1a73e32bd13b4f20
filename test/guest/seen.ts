// What the collector's API tells of one node.

import { setTimeout as delay } from 'node:timers/promises'
import type { NodeView } from '../../collector/api/view.ts'
import type { Attributes } from '../../core/model.ts'

export interface SeenSeries {
  readonly id: number
  readonly name: string
  readonly attributes: Attributes
  readonly lastTime: number
}

export interface SeenEvent {
  readonly name: string
  readonly severity: string
  readonly body: unknown
}

export type Seen = ReturnType<typeof seenAt>

export function seenAt(url: string, node: string) {
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(new URL(path, url))
    if (!answer.ok) throw new Error(`collector: ${path}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }

  const status = async (): Promise<NodeView | undefined> =>
    ((await get('/api/nodes')) as { nodes: NodeView[] }).nodes.find(n => n.name === node)

  /** Those of a metric whose attributes hold `where`. */
  const series = async (name: string, where: Attributes = {}): Promise<readonly SeenSeries[]> => {
    const { series } = (await get(`/api/series?node=${node}&name=${name}&limit=10000`)) as { series: SeenSeries[] }
    return series.filter(one => Object.entries(where).every(([key, value]) => one.attributes[key] === value))
  }

  /** The highest value that one series had in each of `buckets` parts of a window; null where it had none. */
  const highest = async (
    id: number,
    from: number,
    to: number,
    buckets: number,
  ): Promise<readonly (number | null)[]> => {
    const query = `series=${id}&from=${from}&to=${to}&buckets=${buckets}`
    return ((await get(`/api/query?${query}`)) as { series: { max: (number | null)[] }[] }).series[0]?.max ?? []
  }

  /** The last value of the one series that fits; undefined where there is none yet. */
  const last = async (name: string, where: Attributes = {}): Promise<number | undefined> => {
    const found = await series(name, where)
    if (found.length > 1) throw new Error(`${found.length} series ${name} fit ${JSON.stringify(where)}`)
    const [one] = found
    if (one === undefined) return undefined
    return (await highest(one.id, one.lastTime, one.lastTime + 1, 1))[0] ?? undefined
  }

  const events = async (): Promise<readonly SeenEvent[]> =>
    ((await get(`/api/events?node=${node}&limit=1000`)) as { events: SeenEvent[] }).events

  return { status, series, highest, last, events }
}

/** Asks until it holds; throws after `seconds`, naming it. */
export async function eventually(what: string, holds: () => Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}`)
    await delay(100)
  }
}
