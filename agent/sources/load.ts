// How busy the host is and since when it runs: /proc/loadavg and /proc/uptime, proc_loadavg(5), proc_uptime(5).

import type { Sample } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Load {
  /** Mean number of tasks running or in uninterruptible sleep over 1, 5 and 15 minutes. */
  readonly averages: readonly [number, number, number]
  /** Tasks (threads) that exist. */
  readonly threads: number
}

const waiting = 'mean of tasks that run or wait for a CPU or a disk'
// Named as by the host metrics receiver of the OpenTelemetry collector; the conventions have no load average.
const averages = ['1m', '5m', '15m'].map(span =>
  metric(`system.cpu.load_average.${span}`, '{thread}', 'gauge', [], '/proc/loadavg', waiting),
)
const threads = metric('system.thread.count', '{thread}', 'gauge', [], '/proc/loadavg', 'threads that exist')
const uptime = metric('system.uptime', 's', 'gauge', [], '/proc/uptime', 'since the boot')

const averageSeries = averages.map(average => average.of())
const threadSeries = threads.of()
const uptimeSeries = uptime.of()

export const load: Source<{ readonly interval: number }> = {
  name: 'load',
  options: object({ interval }),
  metrics: [...averages, threads, uptime],
  open({ interval }, at) {
    const loadavg = at.host.file('/proc/loadavg')
    const running = at.host.file('/proc/uptime')

    const read = (time: number) => {
      const samples: Sample[] = []
      const averaged = loadavg.read()
      if (averaged !== undefined) samples.push(...ofLoad(parseLoadavg(averaged), time))
      const since = running.read()
      if (since !== undefined) samples.push({ series: uptimeSeries, time, value: parseUptime(since) })
      return { samples, events: [] }
    }
    const close = (): void => {
      loadavg.close()
      running.close()
    }
    return polled({ ...at, interval, read, close })
  },
}

function ofLoad(now: Load, time: number): Sample[] {
  const samples = averageSeries.map((series, n) => ({ series, time, value: now.averages[n]! }))
  return [...samples, { series: threadSeries, time, value: now.threads }]
}

/** `0.12 0.21 0.25 2/106 10228` */
export function parseLoadavg(bytes: Buffer): Load {
  const scan = new Scan('/proc/loadavg', bytes)
  const averages = [scan.decimal(), scan.decimal(), scan.decimal()] as const
  scan.blanks()
  scan.until(0x2f)
  return { averages, threads: scan.integer() }
}

/** Seconds since the boot: `13427.89 26390.10` */
export function parseUptime(bytes: Buffer): number {
  return new Scan('/proc/uptime', bytes).decimal()
}
