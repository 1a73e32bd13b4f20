// NVIDIA GPUs by one long-lived `nvidia-smi -q -x -l N`, so that the driver is asked and not a new process started each
// time. It may hang with the driver: then it is ended and begun anew, and a GPU that fell off the bus is an event.

import { reason } from '../../core/errors.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Observation, Sample } from '../../core/model.ts'
import { duration, object, optional, refined } from '../../core/shape.ts'
import { identity } from '../gpu/declaring.ts'
import { Documents } from '../gpu/documents.ts'
import { GpuWatch, gpuEvents, type Seen } from '../gpu/gpu-watch.ts'
import { Gpu } from '../gpu/nvidia-gpu.ts'
import { text } from '../gpu/nvidia-health.ts'
import { named, nvidiaMetrics } from '../gpu/nvidia-metrics.ts'
import { type Link, openNvlink } from '../gpu/nvlink.ts'
import { type Element, parseXml } from '../gpu/xml.ts'
import type { Source, Surroundings } from '../source.ts'
import { streamed } from '../streamed.ts'
import { watched } from '../watched.ts'

interface Options {
  readonly interval: number
}

/** The program counts in whole seconds. */
const interval = refined(optional(duration(1000, 86_400_000), 10_000), (ms, place) => {
  if (ms % 1000 !== 0) place.wrong('expected whole seconds, as nvidia-smi counts in them')
})

const program = 'nvidia-smi'
/** Beside three intervals: to load a driver that nobody uses takes a while, for each GPU. */
const patience = 60_000
/** Between looks for a program that is not installed, ms. */
const absentPause = 60_000
const onceTimeout = 25_000
const mostBytes = 8 * 1024 ** 2
const mostGpus = 64
const opaque = new Set(['process_name', 'supported_clocks'])
const nothing: Observation = { samples: [], events: [] }

export const nvidia: Source<Options> = {
  name: 'nvidia',
  options: object({ interval }),
  metrics: nvidiaMetrics,
  events: gpuEvents,
  open({ interval }, at) {
    const gpus = openGpus(at)
    const question = ['-q', '-x', '-l', String(interval / 1000)]

    async function* tell(signal: AbortSignal): AsyncGenerator<Observation> {
      while (!signal.aborted) {
        const pieces = watched(signal, 3 * interval + patience, ends => at.host.stream(program, question, ends))
        if (pieces === undefined) yield nothing
        else yield* gpus.read(pieces, signal)
        await at.host.sleep(pieces === undefined ? absentPause : interval, signal)
      }
    }

    const once = async (signal: AbortSignal): Promise<Observation> => {
      const answer = await at.host.run(program, ['-q', '-x'], { timeout: onceTimeout, maxBytes: mostBytes, signal })
      if (answer === undefined) return nothing
      const printed = [...new Documents(program).take(answer.stdout)].at(-1)
      if (printed !== undefined) return gpus.observe(printed.xml, printed.said, signal)
      if (isAbsent(answer.stdout.toString())) return nothing
      const said = `${answer.stdout.toString('utf8', 0, 300).trim()} ${answer.stderr}`
      throw new Error(`nvidia-smi -q -x: ended with ${answer.status}: ${said}`)
    }
    return streamed({ ...at, tell, committed: gpus.committed, once })
  },
}

function isAbsent(said: string): boolean {
  return /No devices were found/i.test(said)
}

function openGpus({ host, say, keep }: Surroundings) {
  const trouble = troubles(say)
  const links = openNvlink(host, trouble)
  const known = new Map<string, Gpu>()
  const names = new Set<string>()
  let watch: GpuWatch | undefined
  let saved: string | undefined
  const watching = (): GpuWatch => {
    saved ??= keep.load()
    watch ??= new GpuWatch(saved)
    return watch
  }

  const observe = async (xml: string, said: string, signal: AbortSignal): Promise<Observation> => {
    const time = host.now()
    const log = parseXml('nvidia-smi -q -x', xml, opaque, names)
    if (log.name !== 'nvidia_smi_log') throw new Error(`nvidia-smi -q -x: expected nvidia_smi_log, got ${log.name}`)
    const elements = log.children.filter(child => child.name === 'gpu')
    trouble(
      'nvidia-smi',
      elements.length > mostGpus ? `more than ${mostGpus} GPUs, the others are left out` : undefined,
    )
    const versions = { driver: text(log, 'driver_version'), cuda: text(log, 'cuda_version') }
    const lost = lostWords.test(xml) ? elements.filter(isLost) : []
    const readings = elements.slice(0, mostGpus).flatMap(element => {
      const gpu = lost.includes(element) ? undefined : gpuOf(element, known)
      return gpu === undefined ? [] : [{ element, gpu, ...gpu.read(element, versions, time) }]
    })
    const seen = readings.map(({ element, gpu: { attributes }, conditions, uncorrected }): Seen => {
      return { id: String(attributes['hw.id']), address: placeOf(element), attributes, conditions, uncorrected }
    })
    const heard = [said, log.text, ...lost.map(element => `${placeOf(element)}: GPU is lost`)].join('\n')
    const events = watching().observe(seen, heard, time)
    const samples = readings.flatMap(r => r.samples)
    return { samples: [...samples, ...linkSamples(await links(signal), known, time)], events }
  }

  /** Returns where the program finds no GPU, and throws however else it ends. */
  async function* read(pieces: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Observation> {
    const documents = new Documents(program)
    try {
      for await (const piece of pieces) {
        for (const { xml, said } of documents.take(piece)) yield await observe(xml, said, signal)
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isAbsent(documents.rest)) {
        const events = watching().hear(`${documents.rest}\n${reason(error)}`, host.now())
        if (events.length > 0) yield { samples: [], events }
        throw new Error(`nvidia-smi -q -x failed${documents.rest && ': '}${documents.rest.slice(0, 300)}`, {
          cause: error,
        })
      }
    }
    if (signal.aborted) return
    if (!isAbsent(documents.rest)) throw new Error(`nvidia-smi -q -x: ended by itself: ${documents.rest.slice(0, 300)}`)
    yield { samples: [], events: watching().observe([], '', host.now()) }
  }

  const committed = (): void => {
    const text = watch?.text()
    if (text === undefined || text === saved) return
    keep.save(text)
    saved = text
  }
  return { observe, read, committed }
}

function linkSamples(links: readonly Link[], gpus: ReadonlyMap<string, Gpu>, time: number): Sample[] {
  return links.flatMap(({ gpu: id, link, speed, errors }) => {
    const gpu = gpus.get(id)
    if (gpu === undefined) return []
    const which = { 'hw.gpu.link': link }
    const samples = [{ series: gpu.of(named.linkUp, which), time, value: Number(speed !== undefined) }]
    if (speed !== undefined) samples.push({ series: gpu.of(named.linkLimit, which), time, value: speed })
    for (const [kind, value] of errors) {
      const attributes = { 'hw.type': 'gpu', 'error.type': `nvlink_${kind}`, ...which }
      samples.push({ series: gpu.of(named.errors, attributes), time, value })
    }
    return samples
  })
}

const lostWords = /GPU is lost|fallen off the bus/i

/** One that is listed still, with words in place of its values. */
function isLost(element: Element): boolean {
  return lostWords.test(element.text) || element.children.some(isLost)
}

function placeOf(element: Element): string | undefined {
  return text(element, 'pci', 'pci_bus_id') ?? element.attributes.id
}

/** The GPU that an element is about, known by its uuid and by its place; one that has neither is nobody's. */
function gpuOf(element: Element, known: Map<string, Gpu>): Gpu | undefined {
  const place = placeOf(element)
  const uuid = text(element, 'uuid')
  const one = known.get(uuid ?? place ?? '')
  const before = one?.attributes
  const id = uuid ?? before?.['hw.id'] ?? place
  if (id === undefined) return undefined
  const minor = text(element, 'minor_number')
  const attributes: Attributes = {
    'hw.id': id,
    ...told('hw.name', minor === undefined ? before?.['hw.name'] : `nvidia${minor}`),
    ...told('hw.model', text(element, 'product_name') ?? before?.['hw.model']),
  }
  const isSame = before !== undefined && identity.every(key => before[key] === attributes[key])
  const gpu = isSame ? one! : new Gpu(attributes)
  known.set(String(id), gpu)
  if (place !== undefined) known.set(place, gpu)
  return gpu
}

function told(key: string, value: Attributes[string] | undefined): Attributes {
  return value === undefined ? {} : { [key]: value }
}
