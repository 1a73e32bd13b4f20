// A machine within the machine: a network, a process table and a /sys of its own. All that runs inside ends with the bench,
// however that ends, and its interfaces with it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const unshare = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

/** $1: an empty folder. The /sys of the new network hides the cgroups, which are put back. */
const script = `set -e
folder=$1; shift
ip link set lo up
if [ -d /sys/fs/cgroup ]; then mount --rbind /sys/fs/cgroup "$folder"; fi
mount -t sysfs sysfs /sys
if [ -d /sys/fs/cgroup ]; then mount --rbind "$folder" /sys/fs/cgroup; fi
exec "$@"`

/** Why there can be none, undefined where there can. */
export function withoutNamespace(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root: namespaces, interfaces and cgroups are made'
  const folder = emptyFolder()
  const { status, stderr, error } = spawnSync('unshare', argumentsOf(folder, ['true']), { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  return status === 0 ? undefined : `no namespaces here: ${error?.message ?? stderr.trim()}`
}

/** Runs a command inside; `folder` is an empty one of the machine. */
export function inNamespace(folder: string, command: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...argumentsOf(folder, command)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

export function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'fieldline-load-'))
}

function argumentsOf(folder: string, command: readonly string[]): string[] {
  return [...unshare, 'sh', '-c', script, 'sh', folder, ...command]
}
