// How long work stood still for want of a resource: /proc/pressure, Documentation/accounting/psi.rst of the kernel.
// `some`: at least one task waited; `full`: all that had work did, so that the time was lost altogether.

import type { Host } from '../../core/host.ts'
import type { Sample } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

const resources = ['cpu', 'memory', 'io', 'irq'] as const
const scopes = ['some', 'full'] as const
const windows = ['10s', '60s', '300s'] as const

type Resource = (typeof resources)[number]
type Scope = (typeof scopes)[number]

interface Stall {
  readonly scope: Scope
  /** Shares of the last 10, 60 and 300 s. */
  readonly shares: readonly number[]
  /** Microseconds since the boot. */
  readonly total: number
}

const keys = ['system.pressure.resource', 'system.pressure.scope'] as const
const origin = '/proc/pressure/*'
const stalled = metric('system.pressure.time', 's', 'counter', keys, origin, 'time in which `some` or all tasks waited')
const share = metric(
  'system.pressure.utilization',
  '1',
  'gauge',
  [...keys, 'system.pressure.window'],
  origin,
  'share of such time in the last 10, 60 or 300 s',
)

export const pressure: Source<{ readonly interval: number }> = {
  name: 'pressure',
  options: object({ interval }),
  metrics: [stalled, share],
  open({ interval }, at) {
    const files = resources.map(resource => openResource(resource, at.host))
    const read = (time: number) => ({ samples: files.flatMap(file => file.read(time)), events: [] })
    const close = (): void => {
      for (const file of files) file.close()
    }
    return polled({ ...at, interval, read, close })
  },
}

function openResource(resource: Resource, host: Host) {
  const name = `/proc/pressure/${resource}`
  const file = host.file(name)
  const series = { some: seriesOf(resource, 'some'), full: seriesOf(resource, 'full') }
  const read = (time: number): Sample[] => {
    const bytes = file.read()
    if (bytes === undefined) return []
    return parsePressure(name, bytes)
      .filter(stall => isMeasured(resource, stall))
      .flatMap(({ scope, shares, total }) => [
        { series: series[scope].total, time, value: total / 1e6 },
        ...series[scope].shares.map((one, n) => ({ series: one, time, value: shares[n]! })),
      ])
  }
  return { read, close: () => file.close() }
}

/** For a whole machine `full` of the CPU means nothing, and the kernel writes 0 there for old readers, psi.rst. */
function isMeasured(resource: Resource, { scope }: Stall): boolean {
  return resource !== 'cpu' || scope === 'some'
}

function seriesOf(resource: Resource, scope: Scope) {
  const attributes = { [keys[0]]: resource, [keys[1]]: scope }
  return {
    total: stalled.of(attributes),
    shares: windows.map(window => share.of({ ...attributes, 'system.pressure.window': window })),
  }
}

const scopeWords = scopes.map(scope => ({ scope, word: Buffer.from(`${scope} `) }))
const fields = ['avg10=', 'avg60=', 'avg300='].map(field => Buffer.from(field))
const totalWord = Buffer.from('total=')

/** Lines `some avg10=0.12 avg60=2.00 avg300=3.85 total=15`; `file` is the name used in errors. */
export function parsePressure(file: string, bytes: Buffer): readonly Stall[] {
  const scan = new Scan(file, bytes)
  const stalls: Stall[] = []
  while (scan.more) {
    const scope = scopeWords.find(({ word }) => scan.takes(word))?.scope
    if (scope === undefined || stalls.some(stall => stall.scope === scope)) return scan.fail('some or full, each once')
    const shares = fields.map(field => parseShare(scan, field))
    if (!scan.takes(totalWord)) scan.fail('total=')
    stalls.push({ scope, shares, total: scan.integer() })
    scan.line()
  }
  return stalls.length > 0 ? stalls : scan.fail('a line some or full')
}

/** `avg10=4.20 `: percent with two digits. */
function parseShare(scan: Scan, field: Buffer): number {
  if (!scan.takes(field)) scan.fail(field.toString())
  const share = Math.round(scan.decimal() * 100) / 1e4
  if (share > 1) scan.fail('at most 100 percent')
  scan.blanks()
  return share
}
