// The root of the container image, from nothing but this tree and this machine's glibc: the built command, Node without
// its symbols, and the shared libraries that both ask for. No shell, no package manager, nobody who could log in.
//   node packaging/container/rootfs.ts [FOLDER]   (default packaging/container/rootfs)

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from '../build.ts'

/** The user of distroless images: nobody's, and a number that `runAsNonRoot` can check. */
export const user = 65_532

const files: Readonly<Record<string, string>> = {
  'etc/passwd': `root:x:0:0:root:/:/none\nfieldline:x:${user}:${user}:fieldline:/:/none\n`,
  'etc/group': `root:x:0:\nfieldline:x:${user}:\n`,
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}
const mountPoints = ['proc', 'sys', 'dev', 'tmp', 'etc/fieldline', 'var/lib/fieldline']

export async function rootfs(folder: string): Promise<void> {
  if (existsSync(join(folder, 'app/fieldline.js'))) rmSync(folder, { recursive: true })
  for (const point of mountPoints) mkdirSync(join(folder, point), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  await build(join(folder, 'app'))
  // The page is the collector's.
  rmSync(join(folder, 'app/web'), { recursive: true })
  const node = join(folder, 'usr/bin/node')
  mkdirSync(dirname(node), { recursive: true })
  copyFileSync(process.execPath, node)
  chmodSync(node, 0o755)
  strip(node)
  const native = readdirSync(join(folder, 'app')).filter(name => name.endsWith('.node'))
  for (const binary of [node, ...native.map(name => join(folder, 'app', name))]) copyLibraries(binary, folder)
}

/** Without binutils here the image is a little larger. */
function strip(binary: string): void {
  const { error, status } = spawnSync('strip', [binary])
  if (error === undefined && status !== 0) throw new Error(`strip ${binary} failed with status ${status}`)
}

/** `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x...)`, and the loader without an arrow: each to its own place. */
function copyLibraries(binary: string, folder: string): void {
  const said = execFileSync('ldd', [binary], { encoding: 'utf8' })
  for (const [, library] of said.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) {
    const to = join(folder, library!)
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(library!, to)
    chmodSync(to, 0o755)
  }
}

if (import.meta.main) await rootfs(process.argv[2] ?? new URL('rootfs', import.meta.url).pathname)
