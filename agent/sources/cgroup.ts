// What containers, pods and units use and wait for: the cgroups of the kernel, version 2, version 1 or both. The tree is
// walked when the number of cgroups changed, and once a minute; only those that somebody knows by name are read, in
// slices (agent/pace.ts), with descriptors kept open for the first few alone. From inside of a container the
// tree begins with the container's own cgroup, which is then told like any other.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Event, Sample } from '../../core/model.ts'
import { integer, object, optional } from '../../core/shape.ts'
import { containerOf, type Identity, identify, kubernetesNames, ownContainer } from '../cgroup/identity.ts'
import { type Member, openMember } from '../cgroup/member.ts'
import { neighbours } from '../cgroup/neighbours.ts'
import { metrics, oomKill } from '../cgroup/told.ts'
import { count, findTrees, type Trees, walk } from '../cgroup/tree.ts'
import { pace } from '../pace.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import type { Source } from '../source.ts'

/** The patterns choose by path, such as `/system.slice/nginx.service`. */
interface Options extends Patterns {
  readonly interval: number
  /** Cgroups told of; containers and pods first. */
  readonly most: number
}

/** Names that are used once. */
const usually = ['*/session-*.scope', '*/run-*', '*/systemd-coredump@*']
/** ms */
const walkEvery = 60_000
const walkSoonest = 10_000
/** At about ten files each. */
const mostKeptOpen = 30

export const cgroup: Source<Options> = {
  name: 'cgroup',
  options: object({ interval, ...patterns, most: optional(integer(1, 10_000), 500) }),
  metrics,
  events: [oomKill],
  open(options, at) {
    const { host, say } = at
    const trouble = troubles(say)
    const chosen = chooser(options, usually)
    const isNamed = options.include === undefined ? () => false : chosen
    let trees: Trees | undefined
    let members = new Map<string, Member>()
    let walkedAt = Number.NEGATIVE_INFINITY
    let counted: number | undefined
    let isCut = false

    const identityOf = (path: string): Identity | undefined => {
      if (!chosen(path)) return undefined
      return (
        identify(path) ?? (isNamed(path) ? { kind: 'cgroup', attributes: { 'linux.cgroup.path': path } } : undefined)
      )
    }

    const isTimeToWalk = (trees: Trees): boolean => {
      const age = host.monotonic() - walkedAt
      if (age < walkSoonest) return false
      const now = count(host, trees)
      if (age < walkEvery && now === counted) return false
      counted = now
      walkedAt = host.monotonic()
      return true
    }

    const find = async (trees: Trees, signal: AbortSignal): Promise<void> => {
      const { paths, cut } = await walk(
        host,
        trees,
        path => containerOf(path.split('/').slice(1)) === undefined,
        signal,
      )
      const found = new Map(paths.flatMap(path => withIdentity(path, identityOf(path))))
      if (trees.rootIsOwn) found.set('/', { kind: 'container', attributes: ownAttributes(host) })
      const beside = trees.rootIsOwn ? neighbours(host) : []
      const unique = firstOfEach(named(found, host))
      sayCut(cut || unique.length > options.most)
      const before = members
      members = new Map()
      const keep = (path: string, identity: Identity, open: (keepsOpen: boolean) => Member): void => {
        const known = before.get(path)
        const isSame = known !== undefined && keyOf(known.identity) === keyOf(identity)
        members.set(path, isSame ? known : open(members.size < mostKeptOpen))
      }
      for (const [path, identity] of unique.slice(0, options.most)) {
        keep(path, identity, keepsOpen => openMember(path, identity, trees, host, keepsOpen))
      }
      for (const { path, identity, trees } of beside) {
        keep(path, identity, keepsOpen => openMember(path, identity, trees, host, keepsOpen, '/'))
      }
      for (const [path, one] of before) if (members.get(path) !== one) one.close()
    }

    const sayCut = (now: boolean): void => {
      if (now && !isCut) say('warning', `more than ${options.most} cgroups: only so many are read`, { source: at.name })
      isCut = now
    }

    const readOne = (member: Member, time: number): ReturnType<Member['read']> => {
      const subject = `cgroup ${member.path}`
      try {
        const read = member.read(time)
        trouble(subject, undefined)
        // Vanished: whatever took its place is found by the next walk.
        if (read === undefined) forget(member)
        return read
      } catch (error) {
        trouble(subject, `not read: ${reason(error)}`)
        return undefined
      }
    }

    const forget = (member: Member): void => {
      member.close()
      members.delete(member.path)
    }

    const read = async (time: number, signal: AbortSignal) => {
      trees ??= findTrees(host)
      if (trees === undefined) return { samples: [], events: [] }
      if (isTimeToWalk(trees)) await find(trees, signal)
      const samples: Sample[] = []
      const events: Event[] = []
      const pacing = pace(host)
      for (const member of [...members.values()]) {
        const read = readOne(member, time)
        for (const sample of read?.samples ?? []) samples.push(sample)
        events.push(...(read?.events ?? []))
        const rest = pacing.step(signal)
        if (rest !== undefined) await rest
        if (signal.aborted) throw new Error('stopped')
      }
      return { samples, events }
    }
    const close = (): void => {
      for (const member of members.values()) member.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

function withIdentity(path: string, identity: Identity | undefined): [string, Identity][] {
  return identity === undefined ? [] : [[path, identity]]
}

/** With the names that Kubernetes gave, where its logs are. */
function named(found: ReadonlyMap<string, Identity>, host: Host): [string, Identity][] {
  const isKubernetes = [...found.values()].some(({ attributes }) => 'k8s.pod.uid' in attributes)
  if (!isKubernetes) return [...found]
  const names = kubernetesNames(host.list('/var/log/containers'), host.list('/var/log/pods'))
  return [...found].map(([path, { kind, attributes }]) => {
    const more = names.get(String(attributes['container.id'])) ?? names.get(String(attributes['k8s.pod.uid'])) ?? {}
    return [path, { kind, attributes: { ...attributes, ...more } }]
  })
}

const order = { container: 0, pod: 1, unit: 2, cgroup: 3 } as const

/** Two with one name (the units of a system inside of a container) would be one series: the first counts. */
function firstOfEach(found: readonly [string, Identity][]): [string, Identity][] {
  const seen = new Map<string, [string, Identity]>()
  for (const one of found) if (!seen.has(keyOf(one[1]))) seen.set(keyOf(one[1]), one)
  return [...seen.values()].toSorted(([, a], [, b]) => order[a.kind] - order[b.kind])
}

function keyOf({ kind, attributes }: Identity): string {
  return JSON.stringify([kind, attributes])
}

function ownAttributes(host: Host): Attributes {
  // Each text before the next read: they share a buffer.
  const cgroups = host.read('/proc/self/cgroup')?.toString('utf8') ?? ''
  return ownContainer(cgroups, host.read('/proc/self/mountinfo')?.toString('utf8') ?? '')
}
