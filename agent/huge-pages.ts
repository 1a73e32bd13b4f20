// Huge pages by their size: /sys/kernel/mm/hugepages, Documentation/admin-guide/mm/hugetlbpage.rst of the kernel.

import type { Host } from '../core/host.ts'
import type { Sample, Series } from '../core/model.ts'
import { metric } from './metric.ts'
import { Scan } from './scan.ts'

const folder = '/sys/kernel/mm/hugepages'
const size = 'system.memory.linux.hugepages.page_size'
const state = 'system.memory.linux.hugepages.state'

const told = (name: string, attributes: readonly string[], brief: string) =>
  metric(`system.memory.linux.hugepages.${name}`, '{page}', 'gauge', attributes, `${folder}/*`, brief)
const limit = told('limit', [size], 'huge pages of this size in bytes')
const usage = told('usage', [size, state], 'where there are any: `used` and `free`')
const reserved = told('reserved', [size], 'promised and not yet in use')
const surplus = told('surplus', [size], 'beyond the persistent pool')

export const hugePageMetrics = [limit, usage, reserved, surplus]

export interface HugePages {
  read(time: number): readonly Sample[]
  close(): void
}

export function openHugePages(host: Host): HugePages {
  const pools = new Map<string, ReturnType<typeof openPool>>()
  const pool = (name: string, bytes: number) =>
    pools.get(name) ?? pools.set(name, openPool(name, bytes, host)).get(name)!

  const read = (time: number): readonly Sample[] => {
    if (pools.size === 0)
      for (const name of host.list(folder)) {
        const bytes = sizeOf(name)
        if (bytes !== undefined) pool(name, bytes)
      }
    return [...pools.values()].flatMap(one => one.read(time))
  }
  const close = (): void => {
    for (const one of pools.values()) one.close()
  }
  return { read, close }
}

/** `hugepages-2048kB`; undefined for any other name. */
function sizeOf(name: string): number | undefined {
  const kibibytes = /^hugepages-(\d{1,12})kB$/.exec(name)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

function openPool(name: string, bytes: number, host: Host) {
  const counts = ['nr', 'free', 'resv', 'surplus'].map(what => openCount(`${folder}/${name}/${what}_hugepages`, host))
  const [total, free, promised, over] = counts as [Count, Count, Count, Count]
  const attributes = { [size]: bytes }
  const series = {
    limit: limit.of(attributes),
    used: usage.of({ ...attributes, [state]: 'used' }),
    free: usage.of({ ...attributes, [state]: 'free' }),
    reserved: reserved.of(attributes),
    surplus: surplus.of(attributes),
  }

  const read = (time: number): Sample[] => {
    const all = total.read()
    const samples = sampleOf(series.limit, all, time)
    // Of none, none is used, free, reserved or surplus.
    if (!all) return samples
    const unused = free.read()
    const used = unused === undefined || unused > all ? undefined : all - unused
    return [
      ...samples,
      ...sampleOf(series.used, used, time),
      ...sampleOf(series.free, unused, time),
      ...sampleOf(series.reserved, promised.read(), time),
      ...sampleOf(series.surplus, over.read(), time),
    ]
  }
  const close = (): void => {
    for (const count of counts) count.close()
  }
  return { read, close }
}

function sampleOf(series: Series, value: number | undefined, time: number): Sample[] {
  return value === undefined ? [] : [{ series, time, value }]
}

type Count = ReturnType<typeof openCount>

function openCount(name: string, host: Host) {
  const file = host.file(name)
  const read = (): number | undefined => {
    const bytes = file.read()
    return bytes && new Scan(name, bytes).integer()
  }
  return { read, close: () => file.close() }
}
