// AMD GPUs, by `rocm-smi`, or where that is gone by `amd-smi`: a process at each reading, so not asked too often.

import type { Host } from '../../core/host.ts'
import type { Attributes, Observation, Series } from '../../core/model.ts'
import { duration, object, optional } from '../../core/shape.ts'
import { type AmdGpu, parseAmdSmi, parseRocmSmi, type Value } from '../gpu/amd.ts'
import { amd, amdMetrics } from '../gpu/amd-metrics.ts'
import { GpuWatch, gpuEvents, type Seen } from '../gpu/gpu-watch.ts'
import type { EventKind } from '../metric.ts'
import { polled } from '../polled.ts'
import type { Source, Surroundings } from '../source.ts'

interface Options {
  readonly interval: number
}

const timeout = 20_000
const rocm =
  '--showuse --showmemuse --showtemp --showfan --showpower --showmaxpower --showclocks --showmeminfo all --showproductname --showserial --showuniqueid --showbus --showvbios --showdriverversion --showreplaycount --showxgmierr --showvoltage --json'
const told = ['hw.gpu.lost', 'hw.gpu.returned', 'hw.gpu.errors.uncorrected', 'hw.gpu.slowdown']
const mostSeries = 10_000

export const amdGpu: Source<Options> = {
  name: 'amd-gpu',
  options: object({ interval: optional(duration(1000, 86_400_000), 30_000) }),
  metrics: amdMetrics,
  events: gpuEvents.filter(e => told.includes(e.name)).map((e): EventKind => ({ ...e, origin: amd.info.origin })),
  open({ interval }, at) {
    return polled({ ...at, interval, ...openGpus(at) })
  },
}

function openGpus({ host, keep }: Surroundings) {
  const series = new Map<string, Series>()
  let saved: string | undefined
  let watch: GpuWatch | undefined

  const of = (gpu: Attributes, { metric, attributes }: Value): Series => {
    const whole = { ...gpu, ...attributes }
    const key = `${metric.name} ${Object.values(whole).join('\0')}`
    if (series.size > mostSeries) series.clear()
    const known = series.get(key) ?? metric.of(whole)
    series.set(key, known)
    return known
  }

  const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
    const gpus = await ask(host, signal)
    if (gpus === undefined) return { samples: [], events: [] }
    saved ??= keep.load()
    watch ??= new GpuWatch(saved)
    const samples = gpus.flatMap(gpu =>
      gpu.values.map(value => ({ series: of(identity(gpu), value), time, value: value.value })),
    )
    return { samples, events: watch.observe(gpus.map(seen), '', time) }
  }

  const committed = (): void => {
    const text = watch?.text()
    if (text === undefined || text === saved) return
    keep.save(text)
    saved = text
  }
  return { read, committed }
}

/** Undefined where neither program is installed. */
async function ask(host: Host, signal: AbortSignal): Promise<readonly AmdGpu[] | undefined> {
  const run = async (program: string, args: readonly string[]): Promise<string | undefined> => {
    const at = { timeout, signal }
    const answer = (await host.run(program, args, at)) ?? (await host.run(`/opt/rocm/bin/${program}`, args, at))
    if (answer === undefined) return undefined
    const printed = answer.stdout.toString('utf8')
    // It ends with 2 when one value cannot be had, and prints the others.
    if (answer.status !== 0 && !/^[{[]/m.test(printed))
      throw new Error(`${program} ${args[0]}: ended with ${answer.status}: ${answer.stderr || printed.slice(0, 300)}`)
    return printed
  }
  const older = await run('rocm-smi', rocm.split(' '))
  if (older !== undefined) return parseRocmSmi(older)
  const metric = await run('amd-smi', ['metric', '--json'])
  return metric === undefined ? undefined : parseAmdSmi(metric, (await run('amd-smi', ['list', '--json'])) ?? '[]')
}

function identity({ id, name, model }: AmdGpu): Attributes {
  return { 'hw.id': id, 'hw.name': name, ...(model !== undefined && { 'hw.model': model }) }
}

function seen(gpu: AmdGpu): Seen {
  const errors = gpu.values.filter(v => v.metric === amd.errors && v.attributes['error.type'] === 'uncorrected')
  const slow = gpu.values.find(v => v.metric === amd.throttle)
  return {
    id: gpu.id,
    address: gpu.address,
    attributes: identity(gpu),
    uncorrected: errors.length === 0 ? undefined : errors.reduce((sum, e) => sum + e.value, 0),
    conditions:
      slow === undefined ? [] : [{ event: 'hw.gpu.slowdown', attributes: slow.attributes, active: slow.value === 1 }],
  }
}
