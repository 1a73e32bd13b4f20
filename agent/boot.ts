// Which boot this is, and whether it is another one than when we looked last: /proc/sys/kernel/random/boot_id, random(4).

import type { Host } from '../core/host.ts'
import type { Event, Json } from '../core/model.ts'
import type { Keep } from './keep.ts'
import type { EventKind } from './metric.ts'

export const booted: EventKind = {
  name: 'system.boot',
  attributes: [],
  origin: '/proc/sys/kernel/random/boot_id',
  brief: 'the host was started again since it was last looked at; the body tells both boots and their kernels',
}

interface Boot {
  readonly id: string
  readonly kernel: string | null
}

export interface Boots {
  /** The event where this is another boot than the one kept. */
  read(time: number, bootedAt: number | undefined): readonly Event[]
  /** Remembers what was read; called when the event is durable. */
  save(): void
}

export function openBoots(host: Host, keep: Keep): Boots {
  let known = parseKept(keep.load())
  let saved = known

  const read = (time: number, bootedAt: number | undefined): readonly Event[] => {
    const now = bootOf(host)
    if (now === undefined || (known?.id === now.id && known.kernel === now.kernel)) return []
    const before = known
    known = now
    if (before === undefined || before.id === now.id) return []
    const body: Json = {
      ...now,
      ...(bootedAt === undefined ? {} : { time: new Date(bootedAt * 1000).toISOString() }),
      before: { ...before },
    }
    return [{ name: booted.name, time, severity: 'info', body, attributes: {} }]
  }
  const save = (): void => {
    if (known === undefined || known === saved) return
    keep.save(JSON.stringify(known))
    saved = known
  }
  return { read, save }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/

function bootOf(host: Host): Boot | undefined {
  const file = '/proc/sys/kernel/random/boot_id'
  const id = host.read(file)?.toString('latin1')
  if (id === undefined) return undefined
  if (!uuid.test(id)) throw new Error(`${file}: expected a UUID, got ${JSON.stringify(id.slice(0, 60))}`)
  return { id: id.trim(), kernel: releaseOf(host) ?? null }
}

/** `6.18.44-amd64` */
export function releaseOf(host: Host): string | undefined {
  const file = '/proc/sys/kernel/osrelease'
  const release = host.read(file)?.toString('latin1')
  if (release === undefined) return undefined
  if (!/^\d+\.[\x21-\x7e]{1,64}\n$/.test(release)) {
    throw new Error(`${file}: expected a version of the kernel, got ${JSON.stringify(release.slice(0, 60))}`)
  }
  return release.trim()
}

/** What an older version kept, or a damaged disk gives, counts as nothing. */
function parseKept(text: string | undefined): Boot | undefined {
  const kept = /^\{"id":"([0-9a-f-]{36})","kernel":(?:null|"([^"\\]{1,70})")\}$/.exec(text ?? '')
  return kept === null ? undefined : { id: kept[1]!, kernel: kept[2] ?? null }
}
