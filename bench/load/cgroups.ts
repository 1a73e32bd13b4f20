// Empty cgroups in every hierarchy of the machine, named like containers and units.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { reason } from '../../core/errors.ts'

const prefix = 'fieldline-load-'

/** Why there can be none, undefined where there can. */
export function withoutCgroups(): string | undefined {
  if (hierarchies().length === 0) return 'no cgroups here'
  try {
    makeCgroups(1)
    removeCgroups()
    return undefined
  } catch (error) {
    return `no cgroup can be made here: ${reason(error)}`
  }
}

/** Gives the name of the slice that they are in. @throws the kernel's error where none can be made. */
export function makeCgroups(count: number): string {
  removeCgroups()
  const slice = `${prefix}${process.pid}.slice`
  for (const mount of hierarchies()) {
    mkdirSync(join(mount, slice))
    for (let n = 0; n < count; n++) mkdirSync(join(mount, slice, nameOf(n)))
  }
  return slice
}

/** Those of this process, and of an earlier one that was killed. */
export function removeCgroups(): void {
  for (const mount of hierarchies()) {
    for (const slice of foldersIn(mount).filter(isLeft)) {
      for (const name of foldersIn(join(mount, slice))) rmdirSync(join(mount, slice, name))
      rmdirSync(join(mount, slice))
    }
  }
}

function isLeft(slice: string): boolean {
  const pid = slice.startsWith(prefix) ? Number.parseInt(slice.slice(prefix.length), 10) : undefined
  return pid !== undefined && (pid === process.pid || !existsSync(`/proc/${pid}`))
}

/** Where most are. */
export function countCgroups(slice: string): number {
  return Math.max(0, ...hierarchies().map(mount => foldersIn(join(mount, slice)).length))
}

function hierarchies(): readonly string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return lines.map(line => line.split(' ')).flatMap(([, at, type]) => (/^cgroup2?$/.test(type ?? '') ? [at!] : []))
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? [entry.name] : []))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Every second one a container. */
function nameOf(n: number): string {
  const id = createHash('sha256').update(String(n)).digest('hex')
  return n % 2 === 0 ? `docker-${id}.scope` : `load-${n}.service`
}
