// What holds for all that a host sends, as OpenTelemetry's resource attributes (semantic conventions 1.45, host and os).
// Asked once when the agent starts.

import { arch } from 'node:process'
import type { Host } from '../../core/host.ts'
import type { Attributes } from '../../core/model.ts'
import { fieldsOf, lineOf } from './component.ts'
import { aboutCpu, osRelease, parseProcessors } from './system.ts'

const arches: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm32',
  ia32: 'x86',
  ppc64: 'ppc64',
}

/**
 * `host.id` is the machine id as it stands, as the conventions want it: every observer of a host finds the same one.
 * machine-id(5) asks not to show it to the untrusted; `attributes` of the configuration may put another in its place.
 */
export function resource(host: Host): Attributes {
  const release = osRelease(host)
  const cpuinfo = host.read('/proc/cpuinfo')
  const cpu = cpuinfo && parseProcessors(cpuinfo)[0]
  const about = cpu && aboutCpu(cpu)
  return fieldsOf({
    'host.id': machineId(host),
    'host.arch': arches[arch] ?? arch,
    'host.cpu.vendor.id': about?.vendor,
    'host.cpu.model.name': about?.model,
    'os.type': 'linux',
    'os.name': release?.name,
    'os.version': release?.version,
    'os.description': release?.description,
  })
}

function machineId(host: Host): string | undefined {
  const id = lineOf(host, '/etc/machine-id')
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined
}
