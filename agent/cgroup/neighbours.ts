// The other containers of a pod, seen from inside of one that shares its processes: each process shows where its cgroup
// lies as seen from here (`/../cri-containerd-ID.scope`), and behind /proc/PID/root the file system of its container, in
// which its own cgroup is mounted. The kernel lets only the same user without more privileges look there, ptrace(2).

import type { Host } from '../../core/host.ts'
import { containerOf, type Identity } from './identity.ts'
import { findTrees, ownTop, type Trees } from './tree.ts'

export interface Neighbour {
  /** Of its cgroup, seen from here. */
  readonly path: string
  readonly identity: Identity
  readonly trees: Trees
}

/** A pod has few; a whole host seen from a container is none of its business. */
const mostProcesses = 1000

export function neighbours(host: Host): readonly Neighbour[] {
  const found = new Map<string, Neighbour>()
  const pids = host.list('/proc').filter(name => /^[1-9]/.test(name))
  for (const pid of pids.length > mostProcesses ? [] : pids) {
    const path = otherCgroup(host.read(`/proc/${pid}/cgroup`)?.toString('utf8') ?? '')
    const identity = path === undefined ? undefined : containerOf(path.split('/').slice(1))
    if (path === undefined || identity === undefined || found.has(path)) continue
    const trees = findTrees(host, `/proc/${pid}/root${ownTop}`)
    if (trees?.rootIsOwn) found.set(path, { path, identity, trees })
  }
  return [...found.values()]
}

/** Where the cgroup lies, if it lies beside ours: what is above the root of a cgroup namespace is written as `/..`. */
export function otherCgroup(cgroups: string): string | undefined {
  return /^\d+:[^:]*:((?:\/\.\.)+\/.*)$/m.exec(cgroups)?.[1]
}
