import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { identify, kubernetesNames, ownContainer } from '../../../agent/cgroup/identity.ts'
import { filesV1, filesV2, type Values } from '../../../agent/cgroup/parse.ts'
import { memoryKeep } from '../../../agent/keep.ts'
import { Scan } from '../../../agent/scan.ts'
import { cgroup } from '../../../agent/sources/cgroup.ts'
import { realHost } from '../../../core/host.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { type FakeHost, fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

const cases = join(import.meta.dirname, 'cgroup')
sourceContract(t, cgroup, cases)

const id = 'd4'.repeat(32)
const uid = '0f3c9d5e-1111-2222-3333-444455556666'
const escaped = uid.replaceAll('-', '_')

t.test('who a cgroup belongs to is known by its path', async t => {
  const docker = { 'container.id': id, 'container.runtime.name': 'docker' }
  const known: Readonly<Record<string, object | undefined>> = {
    [`/docker/${id}`]: docker,
    [`/system.slice/docker-${id}.scope`]: docker,
    [`/machine.slice/libpod-${id}.scope`]: { 'container.id': id, 'container.runtime.name': 'podman' },
    [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`]: {
      'container.id': id,
      'container.runtime.name': 'podman',
    },
    [`/machine.slice/libpod-conmon-${id}.scope`]: { 'systemd.unit.name': `libpod-conmon-${id}.scope` },
    [`/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${escaped}.slice`]: { 'k8s.pod.uid': uid },
    [`/kubepods.slice/kubepods-pod${escaped}.slice/crio-${id}.scope`]: {
      'container.id': id,
      'container.runtime.name': 'cri-o',
      'k8s.pod.uid': uid,
    },
    [`/kubepods/burstable/pod${uid}/${id}`]: { 'container.id': id, 'k8s.pod.uid': uid },
    [`/kubepods/pod${uid}`]: { 'k8s.pod.uid': uid },
    '/kubepods/poda1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4': { 'k8s.pod.uid': 'a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4' },
    [`/system.slice/containerd.service/kubepods-burstable-pod${escaped}.slice:cri-containerd:${id}`]: {
      'container.id': id,
      'container.runtime.name': 'containerd',
    },
    '/lxc.payload.web': { 'container.name': 'web', 'container.runtime.name': 'lxc' },
    '/lxc/web': { 'container.name': 'web', 'container.runtime.name': 'lxc' },
    '/system.slice/nginx.service': { 'systemd.unit.name': 'nginx.service' },
    '/system.slice/system-getty.slice/getty@tty1.service': { 'systemd.unit.name': 'getty@tty1.service' },
    '/system.slice': { 'systemd.unit.name': 'system.slice' },
    '/init.scope': { 'systemd.unit.name': 'init.scope' },
    '/system.slice/system-getty.slice': undefined,
    '/user.slice/user-1000.slice/user@1000.service/app.slice/app.service': undefined,
    '/custom': undefined,
    '/': undefined,
  }
  for (const [path, attributes] of Object.entries(known)) t.strictSame(identify(path)?.attributes, attributes, path)
})

t.test('names that Kubernetes gave are those of its logs', async t => {
  const names = kubernetesNames([`web-0_shop_app-${id}.log`, 'nonsense.log'], [`shop_web-0_${uid}`, 'nonsense'])
  t.strictSame([...names.keys()], [id, uid])
  t.equal(names.get(id)!['k8s.container.name'], 'app')
})

t.test('a container knows its own from its cgroup, else from what is mounted into it', async t => {
  t.strictSame(ownContainer(`0::/kubepods/pod${uid}/${id}\n`, ''), { 'container.id': id, 'k8s.pod.uid': uid })
  const hosts = `9 8 254:1 /var/lib/docker/containers/${id}/hosts /etc/hosts rw - ext4 /dev/vda1 rw\n`
  t.strictSame(ownContainer('0::/\n', hosts), { 'container.id': id })
  const pod = [
    `9 8 254:1 /var/lib/kubelet/pods/${uid}/etc-hosts /etc/hosts rw - ext4 /dev/vda1 rw`,
    `9 8 254:1 /var/lib/kubelet/pods/${uid}/containers/sidecar/1a2b3c4d /dev/termination-log rw - ext4 /dev/vda1 rw`,
  ].join('\n')
  t.strictSame(ownContainer('0::/\n', pod), { 'k8s.pod.uid': uid, 'k8s.container.name': 'sidecar' })
  t.strictSame(ownContainer('0::/\n', ''), {})
})

/** Cgroups of version 2 with little in them. */
function machineOf(t: Test, ...paths: readonly string[]): string {
  const root = t.testdir({})
  put(root, '', 'cgroup.controllers', '')
  for (const path of paths) add(root, path)
  return root
}

function put(root: string, cgroup: string, file: string, text: string): void {
  const folder = join(root, 'sys/fs/cgroup', cgroup)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, file), text)
}

function add(root: string, path: string): void {
  put(root, path, 'cpu.stat', 'usage_usec 3\nuser_usec 1000000\nsystem_usec 2000000\n')
  put(root, path, 'memory.current', '4096\n')
}

/** A file removed from a folder lives on in an open descriptor; one of the kernel does not. */
function kernelHost(root: string): FakeHost {
  const host = fakeHost(root)
  return { ...host, file: path => ({ read: () => host.read(path), close: () => {} }) }
}

const optionsOf = (raw: object) => cgroup.options.read(raw, new Place())
const named = (values: Readonly<Record<string, number>>): readonly string[] =>
  Object.keys(values).flatMap(key => /memory\.usage\{[a-z.]+=([^,}]+)/.exec(key)?.[1] ?? [])

t.test('from inside of a container its own cgroup is told, without any host mount', async t => {
  const root = machineOf(t, '')
  put(root, '', 'cgroup.events', 'populated 1\nfrozen 0\n')
  mkdirSync(join(root, 'proc/self'), { recursive: true })
  writeFileSync(join(root, 'proc/self/cgroup'), '0::/\n')
  const hosts = `9 8 254:1 /var/lib/docker/containers/${id}/hosts /etc/hosts rw - ext4 /dev/vda1 rw\n`
  writeFileSync(join(root, 'proc/self/mountinfo'), hosts)
  const [reading] = await readings(cgroup, optionsOf({}), fakeHost(root), 1)
  t.strictSame(reading!.values, {
    [`counter container.cpu.time{container.id=${id},cpu.mode=user} s`]: 1,
    [`counter container.cpu.time{container.id=${id},cpu.mode=system} s`]: 2,
    [`gauge container.memory.usage{container.id=${id}} By`]: 4096,
  })
})

t.test('containers of the same pod are told where the kernel lets us see them', async t => {
  const root = machineOf(t, '')
  put(root, '', 'cgroup.events', 'populated 1\nfrozen 0\n')
  const process = (pid: number, cgroup: string, top?: string): void => {
    mkdirSync(join(root, `proc/${pid}`), { recursive: true })
    writeFileSync(join(root, `proc/${pid}/cgroup`), `0::${cgroup}\n`)
    if (top === undefined) return
    const folder = join(root, `proc/${pid}/root/sys/fs/cgroup`)
    mkdirSync(folder, { recursive: true })
    for (const [file, text] of Object.entries({
      'cgroup.controllers': '',
      'cgroup.events': '',
      'memory.current': top,
    })) {
      writeFileSync(join(folder, file), text)
    }
  }
  const other = 'e5'.repeat(32)
  process(1, '/')
  process(20, `/../cri-containerd-${id}.scope`, '8192\n')
  process(21, `/../cri-containerd-${id}.scope`, '8192\n')
  process(30, `/../cri-containerd-${other}.scope`)
  process(40, '/../../system.slice/sshd.service', '1\n')
  const steps = [() => rmSync(join(root, 'proc/20'), { recursive: true })]
  const made = await readings(cgroup, optionsOf({}), kernelHost(root), 2, () => steps.shift()!())
  const usage = `gauge container.memory.usage{container.id=${id},container.runtime.name=containerd} By`
  t.equal(made[0]!.values[usage], 8192)
  t.equal(made[0]!.values['gauge container.memory.usage By'], 4096, 'its own')
  t.notOk(Object.keys(made[0]!.values).some(key => key.includes(other)))
  t.strictSame([made[1]!.values[usage], made[1]!.success, made[1]!.said], [undefined, true, []])
  t.equal(made[1]!.values['gauge container.memory.usage By'], 4096)
})

t.test('the root of a host is not told as a container', async t => {
  const [reading] = await readings(cgroup, optionsOf({}), fakeHost(machineOf(t, '')), 1)
  t.strictSame(reading!.values, {})
})

t.test('a cgroup that vanishes is no failure, and a new one is found when their number changed', async t => {
  const root = machineOf(t, 'system.slice/a.service')
  put(root, '', 'cgroup.stat', 'nr_descendants 2\nnr_dying_descendants 0\n')
  const steps = [
    () => rmSync(join(root, 'sys/fs/cgroup/system.slice/a.service'), { recursive: true }),
    () => {
      add(root, 'system.slice/b.service')
      put(root, '', 'cgroup.stat', 'nr_descendants 3\nnr_dying_descendants 0\n')
    },
  ]
  const made = await readings(cgroup, optionsOf({}), kernelHost(root), 3, () => steps.shift()!())
  t.strictSame(
    made.map(r => named(r.values)),
    [['a.service'], [], ['b.service']],
  )
  t.strictSame([made[2]!.said, made.every(r => r.success)], [[], true])
})

t.test('names that are used once are left out, as are units inside of units', async t => {
  const root = machineOf(
    t,
    'user.slice/user-1000.slice/session-3.scope',
    'system.slice/run-u7.service',
    'x.service',
    'x.service/y.service',
  )
  const [usual] = await readings(cgroup, optionsOf({}), fakeHost(root), 1)
  t.strictSame(named(usual!.values), ['x.service'])
  const [asked] = await readings(cgroup, optionsOf({ include: ['*.scope'] }), fakeHost(root), 1)
  t.strictSame(named(asked!.values), ['session-3.scope'])
})

t.test('more cgroups than the bound are cut, containers last, and that is said once', async t => {
  const services = Array.from({ length: 20 }, (_, n) => `system.slice/s${n}.service`)
  const root = machineOf(t, 'system.slice', ...services, `docker/${id}`)
  const made = await readings(cgroup, optionsOf({ most: 5 }), fakeHost(root), 9)
  for (const { values } of made) t.strictSame([named(values).length, named(values)[0]], [5, id])
  t.strictSame(made.at(-1)!.said, ['warning more than 5 cgroups: only so many are read'])
})

t.test('a few hundred descriptors are kept open, however many cgroups there are', async t => {
  const root = machineOf(t, ...Array.from({ length: 200 }, (_, n) => `system.slice/s${n}.service`))
  const host = { ...fakeHost(root), file: realHost(root).file }
  const stop = new AbortController()
  const before = readdirSync('/proc/self/fd').length
  let open = 0
  const running = cgroup.open(optionsOf({}), { name: 'cgroup', host, say: () => {}, keep: memoryKeep() })
  await running.run(async () => {
    open = readdirSync('/proc/self/fd').length - before
    stop.abort()
  }, stop.signal)
  t.ok(open > 0 && open <= 300, `${open} are open`)
})

t.test('damaged files end in an error that names them, or in what the whole says', async t => {
  const random = seeded(t)
  const folders = {
    'version-2/input/sys/fs/cgroup/system.slice/nginx.service': filesV2,
    [`version-1/input/sys/fs/cgroup/memory/docker/${'c3'.repeat(32)}`]: filesV1.filter(f => f.controller === 'memory'),
  }
  for (const [folder, files] of Object.entries(folders)) {
    for (const { name, parse } of files) {
      const whole = readFileSync(join(cases, folder, name))
      const truth: Values = {}
      parse(new Scan(name, whole), truth)
      for (let n = 0; n < 300; n++) {
        const noise = Buffer.from(whole)
        noise[random.below(noise.length)] = random.below(256)
        const cut = whole.subarray(0, random.below(whole.length))
        for (const bytes of [cut, noise, Buffer.from(Array.from({ length: 40 }, () => random.below(256)))]) {
          const told: Values = {}
          try {
            parse(new Scan(name, bytes), told)
            t.ok(Object.values(told).every(value => Number.isFinite(value) && value >= 0))
            if (bytes === cut) t.match(truth, told, `${name} cut at byte ${cut.length}`)
          } catch (error) {
            t.match(error, { message: new RegExp(`^${name}: `) })
          }
        }
      }
    }
  }
})
