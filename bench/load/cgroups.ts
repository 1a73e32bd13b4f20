// Empty cgroups in every hierarchy of the machine, named like containers and units.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const slice = 'fieldline-load.slice'

/** @throws the kernel's error where no cgroup can be made. */
export function makeCgroups(count: number): void {
  removeCgroups()
  for (const mount of hierarchies()) {
    mkdirSync(join(mount, slice))
    for (let n = 0; n < count; n++) mkdirSync(join(mount, slice, nameOf(n)))
  }
}

/** Also those of an earlier bench that was killed. */
export function removeCgroups(): void {
  for (const mount of hierarchies()) {
    const folder = join(mount, slice)
    for (const name of foldersIn(folder)) rmdirSync(join(folder, name))
    if (foldersIn(mount).includes(slice)) rmdirSync(folder)
  }
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
