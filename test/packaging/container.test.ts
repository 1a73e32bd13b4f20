// The image's root, run as a container runs it: read-only, as a user that is nobody and may become nobody else, in
// namespaces of its own (mounts, PIDs, cgroup), with nothing of the host mounted and nothing but variables to tell it what
// to do.

import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { freePort } from '../../core/free-port.ts'
import { rootfs, user } from '../../packaging/container/rootfs.ts'

const folder = mkdtempSync(join(tmpdir(), 'fieldline-image-'))

t.teardown(() => rmSync(folder, { recursive: true }))
t.before(async () => {
  chmodSync(folder, 0o755)
  await rootfs(folder)
})

/** $1: the image's root. tap hands its own modules to every Node by NODE_OPTIONS. */
const contained = `set -e
unset NODE_OPTIONS
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t cgroup2 none "$1/sys/fs/cgroup"
mount -o remount,bind,ro "$1"
exec setpriv --no-new-privs chroot --userspec ${user}:${user} "$1" /usr/bin/node /app/fieldline.js agent`

t.test('a sidecar runs read-only, as nobody, without host mounts, and shows its own cgroup', async t => {
  if (process.getuid?.() !== 0) return void t.plan(0, 'only root may make such namespaces: run as root')
  const port = await freePort()
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    FIELDLINE_METRICS: `127.0.0.1:${port}`,
    FIELDLINE_INTERVAL: '200ms',
    OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=shop-0',
  }
  const inCgroup = enterCgroup(t)
  const unshare = ['--mount', '--pid', '--fork', '--kill-child', '--cgroup', 'sh', '-c', contained, 'sh', folder]
  const child = spawn('sh', ['-c', `${inCgroup} exec unshare "$@"`, 'sh', ...unshare], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const text = await shown(child, port, /^(?=.*^container_cpu_time_seconds_total\{).*^process_memory_usage_bytes\{/ms)
  t.match(text, /^target_info\{.*k8s_pod_name="shop-0".*\} 1$/m)
  t.match(text, /^process_memory_usage_bytes\{process_executable_name="node"\} \d+$/m)
  t.equal(text.match(/^process_count\{/gm)!.length, 1, 'it sees no process of the host')
  const status = readFileSync(`/proc/${pidInside(child)}/status`, 'utf8')
  t.match(status, new RegExp(`^Uid:\\t${user}\\t${user}\\t${user}\\t${user}$`, 'm'))
  t.match(status, /^CapEff:\t0+$/m)
  t.match(status, /^NoNewPrivs:\t1$/m)
})

/** Of the children one each: sh, unshare, the process in the new namespace, which became the agent. */
function pidInside({ pid }: ChildProcess): string {
  const childOf = (of: string): string => readFileSync(`/proc/${of}/task/${of}/children`, 'utf8').trim()
  return childOf(String(pid))
}

/** A shell's words that put it into a cgroup of its own, as every container is. */
function enterCgroup(t: Test): string {
  const top = existsSync('/sys/fs/cgroup/unified') ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup'
  const own = join(top, `fieldline-test-${process.pid}`)
  mkdirSync(own)
  t.teardown(async () => {
    writeFileSync(join(own, 'cgroup.kill'), '1')
    while (/populated 1/.test(readFileSync(join(own, 'cgroup.events'), 'utf8'))) await delay(20)
    rmdirSync(own)
  })
  return `echo $$ > ${own}/cgroup.procs;`
}

async function shown(child: ChildProcess, port: number, wanted: RegExp): Promise<string> {
  let said = ''
  child.stderr!.on('data', piece => {
    said += piece
  })
  const deadline = Date.now() + 20_000
  for (;;) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the sidecar shows nothing: ${said}`)
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      answer => answer.text(),
      () => '',
    )
    if (wanted.test(text)) return text
    await delay(50)
  }
}
