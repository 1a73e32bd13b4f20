// Makes the disks of a Debian guest from this machine's Debian packages: mmdebstrap with what apt here is configured to use,
// then images without mounting anything. Needs root.

import { execFile } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { copyFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Long for any of the programs here, ms. They are asked to end, so that mmdebstrap leaves nothing behind. */
const patience = 150_000

/** Runs a program that ends with this process. */
const run = (program: string, ...args: readonly string[]) =>
  promisify(execFile)('setpriv', ['--pdeathsig', 'TERM', program, ...args], {
    timeout: patience,
    maxBuffer: 16 * 1024 ** 2,
  })

const overlay = fileURLToPath(new URL('root', import.meta.url))

const packages = [
  ...['systemd-sysv', 'udev', 'dbus', 'iproute2', 'linux-image-amd64', 'tiny-initramfs'],
  ...['smartmontools', 'ethtool', 'libstdc++6', 'libgcc-s1'],
]

/** Nothing that this guest has, and half of the time that installing a kernel takes. */
const leftOut = [
  ...['/usr/share/doc', '/usr/share/man', '/usr/share/locale'],
  ...[
    'sound',
    ...drivers('bluetooth', 'comedi', 'gpio', 'gpu', 'hid', 'iio', 'infiniband', 'input', 'isdn', 'leds'),
  ].map(inKernel),
  ...drivers('media', 'mfd', 'mtd', 'net/usb', 'net/wireless', 'platform', 'power', 'staging', 'usb', 'video').map(
    inKernel,
  ),
]

function drivers(...names: readonly string[]): readonly string[] {
  return names.map(name => `drivers/${name}`)
}

function inKernel(folder: string): string {
  return `/lib/modules/*/kernel/${folder}`
}

/** Sizes of the disks. */
const systemBytes = 1024 ** 3
export const dataBytes = 64 * 1024 ** 2

export interface Image {
  readonly kernel: string
  readonly initrd: string
  /** Root file system, for the NVMe disk. */
  readonly system: string
  /** Another file system, for the SATA disk. */
  readonly data: string
}

/** Debian in `folder`/root, without what the test brings. */
export async function installDebian(folder: string): Promise<void> {
  const { VERSION_CODENAME: release } = osRelease()
  await run(
    'mmdebstrap',
    '--quiet',
    '--mode=root',
    '--variant=essential',
    `--include=${packages.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    ...leftOut.map(path => `--dpkgopt=path-exclude=${path}/*`),
    `--essential-hook=sync-in ${overlay} /`,
    release,
    join(folder, 'root'),
    ...(await mirrors()),
  )
}

/** The package and its configuration, as a person would install them, then the disks. Takes the folder `root` away. */
export async function makeImage(folder: string, deb: string, agentYaml: string): Promise<Image> {
  const root = join(folder, 'root')
  await copyFile(deb, join(root, 'tmp', basename(deb)))
  await run('chroot', root, 'dpkg', '--install', `/tmp/${basename(deb)}`)
  await rm(join(root, 'tmp', basename(deb)))
  await writeFile(join(root, 'etc/fieldline/agent.yaml'), agentYaml)
  const units = ['systemd-networkd.service', 'guest-shell.service', 'fieldline-agent.service', 'fieldline-smart.timer']
  await run('chroot', root, 'systemctl', '--quiet', 'enable', ...units)
  const of = (name: string): string => join(folder, name)
  for (const name of ['vmlinuz', 'initrd.img']) await copyFile(realpathSync(join(root, name)), of(name))
  await run('mke2fs', '-q', '-t', 'ext4', '-d', root, of('system.img'), `${systemBytes / 1024}k`)
  await run('mke2fs', '-q', '-t', 'ext4', '-L', 'data', of('data.img'), `${dataBytes / 1024}k`)
  await rm(root, { recursive: true })
  return { kernel: of('vmlinuz'), initrd: of('initrd.img'), system: of('system.img'), data: of('data.img') }
}

function osRelease(): { readonly VERSION_CODENAME: string } {
  const name = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  if (name === undefined) throw new Error('guest: /etc/os-release does not name a release')
  return { VERSION_CODENAME: name }
}

/** Where apt has Debian from, as lines of sources.list(5). It knows whose a list is once it has fetched it. */
async function mirrors(): Promise<readonly string[]> {
  const known = await debianLists()
  if (known.length > 0) return known
  await run('apt-get', 'update', '-qq')
  return await debianLists()
}

async function debianLists(): Promise<readonly string[]> {
  const format = 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
  const { stdout } = await run('apt-get', 'indextargets', '--format', format, 'Created-By: Packages', 'Origin: Debian')
  return stdout.split('\n').filter(line => line !== '')
}
