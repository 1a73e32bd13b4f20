// Who a cgroup belongs to, by nothing but its path: a container (docker, containerd, CRI-O, podman, LXC), a pod of
// Kubernetes, or a unit of systemd.

import type { Attributes } from '../../core/model.ts'

export const kinds = ['container', 'pod', 'unit', 'cgroup'] as const
export type Kind = (typeof kinds)[number]

export interface Identity {
  readonly kind: Kind
  readonly attributes: Attributes
}

const runtimes: Readonly<Record<string, string>> = {
  docker: 'docker',
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  libpod: 'podman',
}

/** `docker-ID.scope`, `cri-containerd-ID.scope`, `...slice:cri-containerd:ID`, or the ID alone; `crio-conmon-ID` watches one. */
const containerId = /^(?:(?:.*:)?([a-z][a-z-]*?)[-:])?([0-9a-f]{64})(?:\.scope)?$/
const podId =
  /^(?:kubepods(?:-[a-z]+)?-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/

/** `path` begins with `/`; undefined where it is nobody's in particular. */
export function identify(path: string): Identity | undefined {
  const parts = path.split('/').slice(1)
  return containerOf(parts) ?? podOf(parts) ?? unitOf(parts)
}

export function containerOf(parts: readonly string[]): Identity | undefined {
  const last = parts.at(-1)!
  const pod = parts.map(podUid).find(uid => uid !== undefined)
  const about = pod === undefined ? {} : { 'k8s.pod.uid': pod }
  const [, prefix, id] = containerId.exec(last) ?? []
  if (id !== undefined && !prefix?.endsWith('conmon')) {
    const runtime = runtimes[prefix ?? parts.at(-2) ?? '']
    const named = runtime === undefined ? {} : { 'container.runtime.name': runtime }
    return { kind: 'container', attributes: { 'container.id': id, ...named, ...about } }
  }
  const lxc = /^lxc\.payload\.(.+)$/.exec(last)?.[1] ?? (parts.length === 2 && parts[0] === 'lxc' ? last : undefined)
  return lxc === undefined
    ? undefined
    : { kind: 'container', attributes: { 'container.name': lxc, 'container.runtime.name': 'lxc' } }
}

function podUid(part: string): string | undefined {
  return podId.exec(part)?.[1]?.replaceAll('_', '-')
}

function podOf(parts: readonly string[]): Identity | undefined {
  const uid = podUid(parts.at(-1)!)
  return uid === undefined ? undefined : { kind: 'pod', attributes: { 'k8s.pod.uid': uid } }
}

/** Services and scopes that lie in slices only, and the slices at the top. */
function unitOf(parts: readonly string[]): Identity | undefined {
  const last = parts.at(-1)!
  const isUnit = /\.(service|scope)$/.test(last) || (last.endsWith('.slice') && parts.length === 1)
  if (!isUnit || !parts.slice(0, -1).every(part => part.endsWith('.slice'))) return undefined
  return { kind: 'unit', attributes: { 'systemd.unit.name': unescaped(last) } }
}

/** A name that would be taken for a file of the kernel's (`cgroup.service`) has an underscore before it, systemd's cg_escape. */
function unescaped(name: string): string {
  return name.replace(/^_/, '')
}

/** What the names in /var/log/containers and /var/log/pods tell of containers and pods; anybody may list them. */
export function kubernetesNames(containerLogs: readonly string[], podLogs: readonly string[]) {
  const names = new Map<string, Attributes>()
  for (const log of containerLogs) {
    const [, pod, namespace, container, id] = /^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$/.exec(log) ?? []
    if (id === undefined) continue
    const of = { 'k8s.pod.name': pod!, 'k8s.namespace.name': namespace!, 'k8s.container.name': container! }
    names.set(id, of)
  }
  for (const log of podLogs) {
    const [, namespace, pod, uid] = /^([^_]+)_([^_]+)_([0-9a-f-]{32,36})$/.exec(log) ?? []
    if (uid !== undefined) names.set(uid, { 'k8s.pod.name': pod!, 'k8s.namespace.name': namespace! })
  }
  return names
}

/** The container that this process runs in, as far as its own files tell: /proc/self/cgroup and /proc/self/mountinfo. */
export function ownContainer(cgroups: string, mounts: string): Attributes {
  const paths = cgroups.split('\n').map(line => line.replace(/^\d+:[^:]*:/, ''))
  const found = paths.filter(path => path.startsWith('/')).map(path => containerOf(path.split('/').slice(1)))
  const byPath = found.find(identity => identity !== undefined)?.attributes ?? {}
  // With a cgroup namespace the path is `/`; what is mounted on /etc/hosts and the like still lies in a folder of its own.
  const id = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) /.exec(mounts)?.[1]
  const pod = /\/pods\/([0-9a-f-]{32,36})\/etc-hosts /.exec(mounts)?.[1]
  const container = /\/pods\/[0-9a-f-]{32,36}\/containers\/([^/ ]+)\/[^/ ]+ /.exec(mounts)?.[1]
  return {
    ...(id !== undefined && { 'container.id': id }),
    ...(pod !== undefined && { 'k8s.pod.uid': pod }),
    ...(container !== undefined && { 'k8s.container.name': container }),
    ...byPath,
  }
}
