// Programs from Debian that tests run against. Without one its tests are skipped, naming the command that installs it.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

const peers = {
  mosquitto: { program: '/usr/sbin/mosquitto', probe: ['-h'], packages: 'mosquitto' },
  pymodbus: {
    program: '/usr/bin/python3',
    probe: ['-c', 'import pymodbus, serial_asyncio'],
    packages: 'python3-pymodbus python3-serial-asyncio',
  },
  'python-hl7': { program: '/usr/bin/python3', probe: ['-c', 'import hl7.client'], packages: 'python3-hl7' },
  libmodbus: {
    program: '/usr/bin/gcc',
    probe: ['-fsyntax-only', '-include', 'modbus/modbus.h', '-xc', '/dev/null'],
    packages: 'gcc libc6-dev libmodbus-dev',
  },
  fuse: {
    program: '/usr/bin/python3',
    probe: ['-c', 'import os; os.open("/dev/fuse", os.O_RDWR); assert os.geteuid() == 0'],
    packages: 'python3 (and run as root, with /dev/fuse)',
  },
  chromium: { program: '/usr/bin/chromium', probe: ['--version'], packages: 'chromium' },
  openssl: { program: '/usr/bin/openssl', probe: ['version'], packages: 'openssl' },
  redis: { program: '/usr/bin/redis-server', probe: ['--version'], packages: 'redis-server' },
  redisExporter: {
    program: '/usr/bin/prometheus-redis-exporter',
    probe: ['--version'],
    packages: 'prometheus-redis-exporter',
  },
  qemu: { program: '/usr/bin/qemu-system-x86_64', probe: ['--version'], packages: 'qemu-system-x86' },
  mmdebstrap: { program: '/usr/bin/mmdebstrap', probe: ['--version'], packages: 'mmdebstrap' },
  binutils: { program: '/usr/bin/strip', probe: ['--version'], packages: 'binutils' },
  systemd: { program: '/usr/bin/systemd-analyze', probe: ['--version'], packages: 'systemd' },
} as const

/** The program's path, or undefined after marking the test as skipped. */
export function peer(t: Test, name: keyof typeof peers): string | undefined {
  const { program, probe, packages } = peers[name]
  const { error, status } = spawnSync(program, probe, { stdio: 'ignore' })
  if (error === undefined && (name === 'mosquitto' || status === 0)) return program
  t.plan(0, `${name} is missing: apt-get install ${packages}`)
  return undefined
}

/** The first line that a program prints, which says that it is ready; it ends with the test. */
export async function started(t: Test, program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return line
}
