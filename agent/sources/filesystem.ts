// How full the mounted file systems are: the mount table of the host's first process, and statfs(2) for each.
// One that does not answer holds up neither the others nor the next reading; that is said once, and it has no samples.
// No attribute `system.filesystem.mode`: a remount would break every series in two, so it is a series of its own.

import { reason } from '../../core/errors.ts'
import type { FilesystemSize, Host } from '../../core/host.ts'
import { type Trouble, troubles } from '../../core/log.ts'
import type { Sample, Series } from '../../core/model.ts'
import { bool, object, optional } from '../../core/shape.ts'
import { type Metric, metric } from '../metric.ts'
import { type Mount, parseMounts } from '../mounts.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import type { Source } from '../source.ts'

/** The patterns choose by mount point. */
interface Options extends Patterns {
  readonly interval: number
  /** Also those on other machines, such as NFS. */
  readonly network: boolean
}

const usually = ['/dev', '/dev/*', '/sys/*', '/run/credentials/*', '/var/lib/docker/*', '/var/lib/containers/*']

const networked =
  /^(nfs[34]?|cifs|smb3?|smbfs|ceph|9p|afs|coda|ncpfs|fuse\.(sshfs|s3fs|rclone|glusterfs|ceph.*)|glusterfs|lustre|gpfs|beegfs|ocfs2|gfs2|virtiofs)$/
/** No storage of their own, or, as images, always full. */
const pseudo =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fuse\.(gvfsd-fuse|portal|lxcfs)|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|pstore|ramfs|rootfs|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$/

/** Their statfs(2) reads counters that the kernel has in memory. */
const inMemory = /^(ext[234]|xfs|tmpfs)$/

const about = ['system.device.name', 'system.filesystem.type', 'system.filesystem.mountpoint']
const stated = [...about, 'system.filesystem.state']
const told = (name: string, unit: string, brief: string, attributes = stated, origin = 'statfs(2)') =>
  metric(`system.filesystem.${name}`, unit, 'gauge', attributes, origin, brief)
const of = {
  limit: told('limit', 'By', 'size', about),
  usage: told('usage', 'By', 'used, free for everyone, reserved for root'),
  utilization: told('utilization', '1', 'used part of what may be used without being root, as df(1)'),
  inodes: told('inodes.usage', '{inode}', 'used and free; absent where their number is not fixed'),
  inodesUtilization: told('inodes.utilization', '1', 'used part'),
  readonly: told('readonly', '1', '1 where mounted read-only, also after errors', about, '/proc/1/mountinfo'),
}

export const filesystem: Source<Options> = {
  name: 'filesystem',
  options: object({ interval, ...patterns, network: optional(bool, false) }),
  metrics: Object.values(of),
  open(options, at) {
    const table = openTable(at.host, chosenBy(options))
    const trouble = troubles(at.say)
    const read = async (time: number) => {
      const all = await Promise.all(table.read().map(watched => samplesOf(watched, at.host, trouble, time)))
      return { samples: all.flat(), events: [] }
    }
    return polled({ ...at, interval: options.interval, read, close: () => table.close() })
  },
}

/** A mount, and its series, made once. */
interface Watched {
  readonly mount: Mount
  readonly series: ReturnType<typeof seriesOf>
  /** Whether the path leads to this very file system here; undefined until asked. */
  visible?: boolean
  /** Whether it answers without waiting for anybody. */
  fromMemory: boolean
}

function chosenBy(options: Options): (mount: Mount) => boolean {
  const named = chooser(options, usually)
  return ({ type, point }) => {
    if (pseudo.test(type) || (networked.test(type) && !options.network)) return false
    // The layers of containers; as the root it is the host's own.
    return named(point) && (type !== 'overlay' || point === '/')
  }
}

/** The mount table is parsed anew only when it changed. */
function openTable(host: Host, chosen: (mount: Mount) => boolean) {
  const files = ['/proc/1/mountinfo', '/proc/self/mountinfo'].map(name => ({ name, file: host.file(name) }))
  let bytes = Buffer.alloc(0)
  let watched: readonly Watched[] = []

  const parse = (name: string, now: Buffer): void => {
    const before = new Map(watched.map(w => [identity(w.mount), w]))
    const all = parseMounts(name, now)
    watched = onePerDevice(all.filter(chosen)).map(mount => ({
      mount,
      series: before.get(identity(mount))?.series ?? seriesOf(mount),
      fromMemory: isInMemory(mount, all),
    }))
    bytes = Buffer.from(now)
  }

  const read = (): readonly Watched[] => {
    for (const { name, file } of files) {
      const now = file.read()
      if (now === undefined || now.length === 0) continue
      if (!now.equals(bytes)) parse(name, now)
      return watched
    }
    return []
  }
  const close = (): void => {
    for (const { file } of files) file.close()
  }
  return { read, close }
}

/** What stays when it is mounted anew as read-only. */
function identity({ device, root, point, type, source }: Mount): string {
  return JSON.stringify([device, root, point, type, source])
}

/** Bind mounts show one file system many times: the mount of its root counts, else the first. */
function onePerDevice(mounts: readonly Mount[]): readonly Mount[] {
  const byDevice = new Map<string, Mount>()
  for (const mount of mounts) {
    const known = byDevice.get(mount.device)
    if (known === undefined || (known.root !== '/' && mount.root === '/')) byDevice.set(mount.device, mount)
  }
  return [...byDevice.values()]
}

async function samplesOf(watched: Watched, host: Host, trouble: Trouble, time: number): Promise<Sample[]> {
  const { mount, series } = watched
  const subject = `file system ${mount.point}`
  try {
    watched.visible ??= await isVisible(mount, host)
    const size = watched.visible ? await host.statfs(mount.point, watched.fromMemory) : undefined
    trouble(subject, undefined)
    return size === undefined || size.bytes === 0 ? [] : series.flatMap(one => sampleOf(one, mount, size, time))
  } catch (error) {
    trouble(subject, `not read: ${reason(error)}`)
    return []
  }
}

/** Hardening and containers may put something else in its place. File systems of major 0 give other numbers to stat(2). */
async function isVisible({ device, point }: Mount, host: Host): Promise<boolean> {
  const here = await host.device(point)
  return here !== undefined && (device.startsWith('0:') || here === device)
}

/** The way to a mount point is in memory too, unless it leads through one that asks somebody. */
function isInMemory({ type, point }: Mount, all: readonly Mount[]): boolean {
  const asks = (way: Mount): boolean => networked.test(way.type) || /^(fuse|autofs)/.test(way.type)
  return (
    inMemory.test(type) && !all.some(way => asks(way) && point.startsWith(way.point === '/' ? '/' : `${way.point}/`))
  )
}

interface Told {
  readonly series: Series
  readonly value: (size: FilesystemSize, mount: Mount) => number | undefined
}

function sampleOf({ series, value }: Told, mount: Mount, size: FilesystemSize, time: number): Sample[] {
  const found = value(size, mount)
  return found === undefined ? [] : [{ series, time, value: found }]
}

function seriesOf({ source, type, point }: Mount): readonly Told[] {
  const about = { 'system.device.name': source, 'system.filesystem.type': type, 'system.filesystem.mountpoint': point }
  const told = (metric: Metric, state: string | undefined, value: Told['value']): Told => {
    return { series: metric.of(state === undefined ? about : { ...about, 'system.filesystem.state': state }), value }
  }
  return [
    told(of.limit, undefined, s => s.bytes),
    told(of.usage, 'used', s => s.bytes - s.free),
    told(of.usage, 'free', s => s.available),
    told(of.usage, 'reserved', s => s.free - s.available),
    // As df(1): of what may be used without being root.
    told(of.utilization, 'used', s => share(s.bytes - s.free, s.available)),
    told(of.inodes, 'used', s => (s.inodes > 0 ? s.inodes - s.inodesFree : undefined)),
    told(of.inodes, 'free', s => (s.inodes > 0 ? s.inodesFree : undefined)),
    told(of.inodesUtilization, 'used', s => share(s.inodes - s.inodesFree, s.inodesFree)),
    told(of.readonly, undefined, (_, mount) => (mount.readOnly ? 1 : 0)),
  ]
}

function share(used: number, free: number): number | undefined {
  return used + free > 0 ? used / (used + free) : undefined
}
