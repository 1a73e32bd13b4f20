// The operating system, os-release(5), and the processors, /proc/cpuinfo.

import type { Host } from '../../core/host.ts'
import { releaseOf } from '../boot.ts'
import { type Component, fieldsOf, telling } from './component.ts'

export interface Release {
  readonly name: string | undefined
  readonly version: string | undefined
  readonly description: string | undefined
}

export function osParts(host: Host): readonly Component[] {
  const release = osRelease(host)
  const fields = fieldsOf({ ...release, kernel: releaseOf(host) })
  return Object.keys(fields).length === 0 ? [] : [{ type: 'os', place: 'os', fields }]
}

export function osRelease(host: Host): Release | undefined {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    const bytes = host.read(file)
    if (bytes !== undefined) return parseOsRelease(file, bytes)
  }
  return undefined
}

/** Lines `NAME="Debian GNU/Linux"`, quoted as in a shell. */
export function parseOsRelease(file: string, bytes: Buffer): Release {
  const found = new Map<string, string>()
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, key, value] = /^([A-Z0-9_]+)=([^\p{Cc}\ufffd]*)$/u.exec(line) ?? []
    if (key === undefined || value === undefined) {
      throw new Error(`${file}: expected NAME=value, got ${JSON.stringify(line.slice(0, 60))}`)
    }
    found.set(key, value.replace(/^(['"])(.*)\1$/, '$2').replace(/\\(["'$`\\])/g, '$1'))
  }
  const tell = (key: string): string | undefined => telling(found.get(key) ?? '')?.slice(0, 256)
  return { name: tell('NAME'), version: tell('VERSION_ID'), description: tell('PRETTY_NAME') }
}

/** One component a package (socket). */
export function cpuParts(host: Host): readonly Component[] {
  const bytes = host.read('/proc/cpuinfo')
  if (bytes === undefined) return []
  const packages = Map.groupBy(parseProcessors(bytes), packageOf)
  return [...packages].map(([number, cpus]) => ({
    type: 'cpu',
    place: `cpu ${number}`,
    fields: fieldsOf({ ...aboutCpu(cpus[0]!), cores: count(cpus[0]!['cpu cores']), threads: cpus.length }),
  }))
}

function packageOf(cpu: Processor): string {
  const id = cpu['physical id'] ?? '0'
  if (!/^\d{1,5}$/.test(id)) throw new Error(`/proc/cpuinfo: expected a physical id, got ${JSON.stringify(id)}`)
  return id
}

/** Names of x86, then those of ARM. */
export function aboutCpu(cpu: Processor): Readonly<
  Record<'vendor' | 'model' | 'family' | 'stepping', string | undefined>
> & {
  readonly microcode: string | undefined
} {
  return {
    vendor: telling(cpu.vendor_id ?? cpu['CPU implementer'] ?? ''),
    model: telling(cpu['model name'] ?? cpu['CPU part'] ?? ''),
    family: telling([cpu['cpu family'] ?? cpu['CPU architecture'], cpu.model].filter(Boolean).join('.')),
    stepping: cpu.stepping ?? cpu['CPU revision'],
    microcode: telling(cpu.microcode ?? ''),
  }
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined
}

type Processor = Readonly<Record<string, string>>

/** Blocks of lines `model name : AMD EPYC`, one a CPU; what stands before or behind them tells of the board. */
export function parseProcessors(bytes: Buffer): readonly Processor[] {
  const text = bytes.toString('utf8')
  if (!text.endsWith('\n')) throw new Error('/proc/cpuinfo: expected whole lines')
  const blocks = text.split(/\n\n+/)
  return blocks.flatMap(block => {
    const lines = block.split('\n').filter(line => line !== '')
    const pairs = lines.map(line => /^([^:\p{Cc}\ufffd]{1,40}?)\s*:\s*([^\p{Cc}\ufffd]*)$/u.exec(line))
    const wrong = pairs.indexOf(null)
    if (wrong >= 0) {
      throw new Error(`/proc/cpuinfo: expected name and value, got ${JSON.stringify(lines[wrong]!.slice(0, 60))}`)
    }
    const cpu = Object.fromEntries(pairs.map(pair => [pair![1]!, pair![2]!]))
    return cpu.processor === undefined ? [] : [cpu]
  })
}
