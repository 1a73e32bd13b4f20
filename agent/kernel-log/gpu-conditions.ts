// Which NVIDIA GPUs wait for somebody, by their Xids, and when that is over. A fault of an application ends with it and is
// no condition. A reset is over when the driver says so (Xid 154 to None), resets the device, finds it anew on the bus, is
// loaded again, or the machine started again. A GPU to be replaced is that until another one answers at its address.

import type { Report } from './interpreter.ts'
import { textOf } from './rule.ts'

interface Condition {
  readonly xids: readonly number[]
  readonly due: string
  readonly since: number
  readonly uuid?: string
}

const lasting: ReadonlySet<string> = new Set([
  'reset-gpu',
  'drain-and-reset-gpu',
  'restart-vm',
  'reboot',
  'check-hardware',
  'replace-gpu',
])
const most = 256

const address = '(?:PCI:)?([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2})(?:\\.[0-7])?'
const identified = new RegExp(`NVRM: GPU at ${address}: (GPU-[0-9a-f-]{36})`)
const loaded = /NVRM: loading NVIDIA UNIX|nvidia-nvlink: Nvlink Core is being initialized/
const reset = new RegExp(
  `(?:nvidia|pci|vfio-pci|pcieport) ${address}: (?:reset (?:done|complete|succe)|resetting|enabling device \\(0000 -> )`,
)
const found = new RegExp(`pci ${address}: \\[10de:[0-9a-f]{4}\\] type 00`)

export class GpuConditions {
  readonly #due = new Map<string, Condition>()
  readonly #uuids = new Map<string, string>()

  /** `saved` as `save` gave it. @throws Error when it is something else. */
  constructor(saved: unknown) {
    const [due, uuids] = (saved ?? [[], []]) as [[string, Condition][], [string, string][]]
    for (const [gpu, condition] of due) this.#due.set(gpu, condition)
    for (const [gpu, uuid] of uuids) this.#uuids.set(gpu, uuid)
  }

  save(): unknown {
    return [[...this.#due], [...this.#uuids]]
  }

  /** What a line says of GPUs beside its report. */
  line(text: string, time: number): Report[] {
    const [, named, uuid] = identified.exec(text) ?? []
    if (named !== undefined) return this.#identify(gpuAddress(named), uuid!, time)
    if (loaded.test(text)) return this.#recover('the driver was loaded again', time, due => /reset-gpu/.test(due))
    const [, again] = reset.exec(text) ?? []
    if (again !== undefined) return this.#recover('it was reset', time, due => /reset-gpu/.test(due), gpuAddress(again))
    const [, anew] = found.exec(text) ?? []
    if (anew === undefined) return []
    return this.#recover('it was found anew on the bus', time, due => due !== 'replace-gpu', gpuAddress(anew))
  }

  /** The machine started again. */
  booted(time: number): Report[] {
    return this.#recover('the machine started again', time, due => due !== 'replace-gpu')
  }

  /** The report with the GPU's UUID, and what is over by it. */
  take(report: Report): Report[] {
    if (report.event !== 'kernel.gpu.xid') return [report]
    const gpu = gpuAddress(String(report.attributes['hw.id']))
    const [due, xid] = [textOf(report.fields, 'due'), Number(report.fields.xid)]
    const uuid = this.#uuids.get(gpu)
    const named = { ...report, attributes: { 'hw.id': gpu }, fields: { ...report.fields, ...(uuid && { uuid }) } }
    const over = xid === 154 && due === 'nothing'
    if (over) return [named, ...this.#recover('the driver says that nothing is due', report.time, () => true, gpu)]
    if (lasting.has(due)) this.#await(gpu, xid, due, report.time, uuid)
    return [named]
  }

  #await(gpu: string, xid: number, due: string, time: number, uuid: string | undefined): void {
    const known = this.#due.get(gpu)
    if (known === undefined && this.#due.size >= most) return
    const xids = known?.xids.includes(xid) ? known.xids : [...(known?.xids ?? []), xid].slice(0, 32)
    const graver = known !== undefined && xid !== 154 && rank(known.due) > rank(due) ? known.due : due
    this.#due.set(gpu, { xids, due: graver, since: known?.since ?? time, ...(uuid && { uuid }) })
  }

  #identify(gpu: string, uuid: string, time: number): Report[] {
    if (this.#uuids.size < most) this.#uuids.set(gpu, uuid)
    const before = this.#due.get(gpu)?.uuid
    return before === undefined || before === uuid ? [] : this.#recover('it was replaced', time, () => true, gpu)
  }

  #recover(by: string, time: number, which: (due: string) => boolean, gpu?: string): Report[] {
    const over = [...this.#due].filter(([one, { due }]) => which(due) && (gpu === undefined || one === gpu))
    return over.map(([one, { xids, due, since, uuid }]) => {
      this.#due.delete(one)
      return {
        event: 'kernel.gpu.recovered' as const,
        severity: 'info' as const,
        attributes: { 'hw.id': one },
        fields: { xids, due, by, since: new Date(since).toISOString(), ...(uuid && { uuid }) },
        time,
        message: `GPU ${one}: ${due} after Xid ${xids.join(', ')} is over: ${by}`,
      }
    })
  }
}

/** In the order of what helps: the graver includes the lesser. */
function rank(due: string): number {
  return ['check-hardware', 'reset-gpu', 'drain-and-reset-gpu', 'restart-vm', 'reboot', 'replace-gpu'].indexOf(due)
}

/** `00000000:3B:00.0` and `0000:3b:00` are one device. */
export function gpuAddress(told: string): string {
  const [domain, bus, slot] = told.toLowerCase().replace(/\.\d$/, '').split(':') as [string, string, string]
  return `${domain.slice(-4)}:${bus}:${slot}`
}
