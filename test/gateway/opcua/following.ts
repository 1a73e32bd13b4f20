// An OPC UA source at work: what it emits is kept, and a test waits for what it expects instead of for a time.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import type { Act, Emit } from '../../../agent/source.ts'
import { realHost } from '../../../core/host.ts'
import type { Event, Sample } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import type { OpcUaOptions } from '../../../gateway/opcua/options.ts'
import type { LineVariable } from '../../../gateway/opcua/simulated-line.ts'
import { opcua } from '../../../gateway/sources/opcua.ts'

const patience = Number(process.env.FIELDLINE_PATIENCE ?? 20_000)

export interface Following {
  readonly samples: readonly Sample[]
  readonly events: readonly Event[]
  readonly said: readonly string[]
  /** Resolves with what `find` gives as soon as that is not undefined or false. */
  until<T>(what: string, find: (now: Following) => T | undefined | false): Promise<T>
  readonly actions: Readonly<Record<string, Act>>
  /** What is emitted from now on fails while set. */
  failing: Error | undefined
  stop(): Promise<void>
}

export function line(name: LineVariable): { name: string; node: string } {
  return { name: name.toLowerCase(), node: `nsu=urn:fieldline:simulated-line;s=${name}` }
}

export function optionsOf(raw: Readonly<Record<string, unknown>>): OpcUaOptions {
  const place = new Place()
  const options = opcua.options.read(raw, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  return options
}

/** A folder for certificates, where whatever server comes first is trusted. */
export function folder(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'fieldline-opcua-'))
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Quick to see that something is wrong, and to try again. */
export const quick = { interval: '100ms', retry: '1s', keep_alive: '500ms', timeout: '5s' }

export function follow(t: Test, raw: Readonly<Record<string, unknown>>, keep: Keep = memoryKeep()): Following {
  const samples: Sample[] = []
  const events: Event[] = []
  const said: string[] = []
  let changed = Promise.withResolvers<void>()
  const tell = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const say = (severity: string, message: string): void => {
    said.push(`${severity} ${message}`)
    tell()
  }
  const stopping = new AbortController()
  const until: Following['until'] = async (what, find) => {
    const late = AbortSignal.timeout(patience)
    while (true) {
      const found = find(following)
      if (found !== undefined && found !== false) return found
      await Promise.race([
        changed.promise,
        new Promise(resolve => late.addEventListener('abort', resolve, { once: true })),
      ])
      if (late.aborted) throw new Error(`${what}: not within ${patience / 1000} s; said: ${said.join(' | ')}`)
    }
  }
  const emit: Emit = async observation => {
    tell()
    if (following.failing) throw following.failing
    samples.push(...observation.samples)
    events.push(...observation.events)
    tell()
  }
  const source = opcua.open(optionsOf(raw), { name: 'plc', host: realHost(), say, keep })
  const running = source.run(emit, stopping.signal)
  const stop = async (): Promise<void> => {
    stopping.abort()
    await running
  }
  const following: Following = { samples, events, said, until, actions: source.actions ?? {}, failing: undefined, stop }
  t.teardown(stop)
  return following
}

/** The values of a series so far, oldest first. */
export function valuesOf({ samples }: Pick<Following, 'samples'>, name: string): readonly number[] {
  return samples.filter(({ series }) => series.name === name).map(({ value }) => value)
}

export function eventOf({ events }: Pick<Following, 'events'>, name: string, node?: string): Event | undefined {
  return events.findLast(event => event.name === name && (node === undefined || event.attributes.node === node))
}
