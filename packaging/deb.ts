// Makes a Debian package for this machine's processor: dist/ with a Node 24 of its own, the units, and configurations to
// begin from. Needs dpkg-deb and strip (dpkg, binutils), and no network.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { version } from '../core/version.ts'
import { build } from './build.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
const daemons = ['agent', 'gateway', 'collector'] as const

export interface DebOptions {
  /** xz takes most of a minute; dpkg of every Debian and Ubuntu reads it. */
  readonly compression: 'xz' | 'none'
}

/** Writes `outDir`/fieldline_VERSION_ARCHITECTURE.deb and resolves with its path. */
export async function buildDeb(outDir: string, { compression }: DebOptions): Promise<string> {
  const architecture = architectures[process.arch]
  if (architecture === undefined) throw new Error(`deb: no package is made for ${process.arch}`)
  const file = resolve(outDir, `fieldline_${version}_${architecture}.deb`)
  const folder = await mkdtemp(join(tmpdir(), 'fieldline-deb-'))
  const tree = join(folder, 'tree')
  try {
    await fill(tree)
    await describe(tree, architecture)
    // Whatever umask made them: everyone reads, root alone writes.
    await run('chmod', ['-R', 'u=rwX,go=rX', tree])
    await mkdir(outDir, { recursive: true })
    await run('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', tree, file])
    return file
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function fill(tree: string): Promise<void> {
  const place = (path: string): string => join(tree, path)
  await build(place('usr/lib/fieldline'))
  const node = join(root, `node_modules/node-linux-${process.arch}/bin/node`)
  await run('strip', ['-o', place('usr/lib/fieldline/node'), node])
  await cp(join(root, 'packaging/deb/fieldline'), place('usr/bin/fieldline'))
  for (const unit of await units()) await cp(join(root, 'systemd', unit), place(`usr/lib/systemd/system/${unit}`))
  // Debian's dbus-daemon turns dynamic users away, and with them the source `systemd` (systemd/README.md).
  await cp(join(root, 'systemd/fieldline.sysusers'), place('usr/lib/sysusers.d/fieldline.conf'))
  const dropIn = 'usr/lib/systemd/system/fieldline-agent.service.d/static-user.conf'
  await cp(join(root, 'systemd/agent-static-user.conf'), place(dropIn))
  for (const daemon of daemons)
    await cp(join(root, `packaging/config/${daemon}.yaml`), place(`etc/fieldline/${daemon}.yaml`))
  await cp(join(root, 'packaging/config'), place('usr/share/doc/fieldline/examples'), { recursive: true })
  await cp(join(root, 'LICENSE'), place('usr/share/doc/fieldline/copyright'))
}

async function units(): Promise<readonly string[]> {
  return (await readdir(join(root, 'systemd'))).filter(name => /\.(service|timer)$/.test(name))
}

/** What dpkg wants to know, and what it runs. */
async function describe(tree: string, architecture: string): Promise<void> {
  const at = join(tree, 'DEBIAN')
  await mkdir(at)
  const { stdout } = await run('du', ['-sk', '--exclude=DEBIAN', tree])
  const control = [
    'Package: fieldline',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: The Fieldline authors <fieldline@localhost>',
    `Installed-Size: ${parseInt(stdout, 10)}`,
    // What Node 24 and the one native file of better-sqlite3 ask for.
    'Depends: libc6 (>= 2.34), libstdc++6 (>= 11), libgcc-s1',
    'Recommends: systemd, smartmontools',
    'Section: admin',
    'Priority: optional',
    'Description: reads hosts and devices, loses nothing, and says what is going wrong',
    ' One command for the agent, which reads this host, the gateway, which reads devices, and the collector,',
    ' which keeps what they send, judges it and shows it.',
  ]
  await writeFile(join(at, 'control'), `${control.join('\n')}\n`)
  await writeFile(join(at, 'conffiles'), daemons.map(daemon => `/etc/fieldline/${daemon}.yaml\n`).join(''))
  for (const script of ['postinst', 'prerm', 'postrm']) await cp(join(root, 'packaging/deb', script), join(at, script))
}

if (import.meta.main) console.log(await buildDeb(process.argv[2] ?? 'dist', { compression: 'xz' }))
