// The tree of cgroups: version 2 (`/sys/fs/cgroup` is it), version 1 (a folder and a tree for each controller), or both
// (version 2 in `unified`, without controllers). Walking reads a folder a cgroup, so it is done seldom and in slices.

import type { Host } from '../../core/host.ts'
import { pace } from '../pace.ts'
import { Scan } from '../scan.ts'
import { type CgroupFile, filesV1, filesV2 } from './parse.ts'

export const ownTop = '/sys/fs/cgroup'

export interface Trees {
  /** Folder of version 2's tree. */
  readonly unified: string | undefined
  readonly files: readonly CgroupFile[]
  /** Folders of the trees that are walked. */
  readonly roots: readonly string[]
  /** The path of a cgroup's file. */
  fileOf(cgroup: string, file: CgroupFile): string | undefined
  /** Whether the tree's root is a cgroup like others: so it is inside of a container. */
  readonly rootIsOwn: boolean
}

/** `top` is where they are mounted. */
export function findTrees(host: Host, top = ownTop): Trees | undefined {
  const names = host.list(top)
  if (names.includes('cgroup.controllers')) {
    const fileOf = (cgroup: string, { name }: CgroupFile): string => join(top, cgroup, name)
    // The root of all lacks it, cgroup-v2.rst.
    return { unified: top, files: filesV2, roots: [top], fileOf, rootIsOwn: names.includes('cgroup.events') }
  }
  const controllers = new Set(names)
  const unified = controllers.has('unified') ? `${top}/unified` : undefined
  if (!controllers.has('memory') && !controllers.has('cpuacct')) return undefined
  const fileOf = (cgroup: string, { controller, name }: CgroupFile): string | undefined => {
    if (controller !== undefined)
      return controllers.has(controller) ? join(`${top}/${controller}`, cgroup, name) : undefined
    return unified && join(unified, cgroup, name)
  }
  const walked = ['systemd', 'memory', 'cpuacct', 'pids'].filter(name => controllers.has(name))
  const memory = host.list(`${top}/memory`)
  return {
    unified,
    files: filesV1,
    roots: [...walked, ...(unified === undefined ? [] : ['unified'])].map(name => `${top}/${name}`),
    fileOf,
    rootIsOwn: memory.includes('memory.usage_in_bytes') && !memory.includes('release_agent'),
  }
}

function join(folder: string, cgroup: string, name: string): string {
  return cgroup === '/' ? `${folder}/${name}` : `${folder}${cgroup}/${name}`
}

const mostDeep = 16
const mostWalked = 50_000

/** Every cgroup's path, parents first; `isOpen` says whether to look into one. `cut` where there are too many. */
export async function walk(
  host: Host,
  { roots }: Trees,
  isOpen: (cgroup: string) => boolean,
  signal: AbortSignal,
): Promise<{ readonly paths: readonly string[]; readonly cut: boolean }> {
  const paths = new Set<string>()
  const pacing = pace(host)
  let walked = 0
  const into = async (root: string, cgroup: string, depth: number): Promise<void> => {
    for (const name of host.list(`${root}${cgroup}`)) {
      if (isFile(name) || walked > mostWalked) continue
      walked++
      const path = `${cgroup}/${name}`
      paths.add(path)
      const rest = pacing.step(signal)
      if (rest !== undefined) await rest
      if (signal.aborted) throw new Error('stopped')
      if (depth < mostDeep && isOpen(path)) await into(root, path, depth + 1)
    }
  }
  for (const root of roots) await into(root, '', 1)
  return { paths: [...paths], cut: walked > mostWalked }
}

const file =
  /^(cgroup|cpu|cpuacct|cpuset|memory|io|pids|hugetlb|rdma|misc|dmem|irq|blkio|devices|freezer|net_cls|net_prio|perf_event|debug)\.[a-z0-9]/
const folder = /\.(service|scope|slice|mount|socket|swap|partition)$/

/** Files of the kernel and cgroups lie in one folder; systemd sees to it that the names differ. */
function isFile(name: string): boolean {
  return (
    (file.test(name) && !folder.test(name)) ||
    name === 'tasks' ||
    name === 'notify_on_release' ||
    name === 'release_agent'
  )
}

const descendants = [Buffer.from('\nnr_descendants ')]

/** How many cgroups there are, where the kernel counts them: when it changes it is time to walk. */
export function count(host: Host, { unified }: Trees): number | undefined {
  const path = `${unified}/cgroup.stat`
  const bytes = unified === undefined ? undefined : host.read(path)
  const scan = bytes && new Scan(path, bytes)
  return scan && (scan.after(descendants)[0] ?? scan.fail('a line nr_descendants', 0))
}
