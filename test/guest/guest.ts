// A real guest: Debian booted in qemu with an NVMe and a SATA disk, fieldline's package installed in it, its agent and the
// SMART unit running as units; a collector on this side. Takes two to three minutes and root, so it is no part of
// `npm test`: `npm test -- test/guest/guest.ts`.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { usualSources } from '../../agent/usual-sources.ts'
import { buildDeb } from '../../packaging/deb.ts'
import { peer } from '../peers.ts'
import { type RoadCollector, startRoadCollector } from '../road/road.ts'
import { checks } from './checks.ts'
import { installDebian, makeImage } from './image.ts'
import { Machine } from './machine.ts'
import { seenAt } from './seen.ts'

/** Seconds. Emulated, the machine is about twenty times slower. */
const readEvery = 2
const parts = ['qemu', 'mmdebstrap', 'binutils'] as const
/** Of the whole file, below five minutes with what comes before it. */
const patience = 280_000

t.setTimeout(patience)
if (process.getuid?.() !== 0) t.plan(0, 'only root can install a guest')
else if (parts.every(part => peer(t, part) !== undefined)) await proof()

async function proof(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-guest-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  // What tap sends when the time is up; it waits for no teardown then.
  process.on('SIGALRM', () => process.exit(1))
  const broker = { listen: '127.0.0.1:0' }
  const collector = await startRoadCollector(t, { folder: join(folder, 'collector'), more: { broker } })
  let guest: Machine | undefined
  t.teardown(async () => {
    if (!t.passing()) console.error(`the guest's console ends with\n${guest?.console(40)}`)
    await guest?.stop()
  })
  await t.test('Debian boots with the package installed', async () => {
    guest = await startGuest(folder, collector)
  })
  if (guest === undefined) return
  const there = { guest, collector, seen: seenAt(collector.running.url, 'guest'), every: readEvery }
  for (const [what, check] of Object.entries(checks)) await t.test(what, t => check(t, there))
}

async function startGuest(folder: string, collector: RoadCollector): Promise<Machine> {
  const began = performance.now()
  const took = (what: string): void => console.error(`guest: ${what} after ${seconds(performance.now() - began)}`)
  const [deb] = await Promise.all([buildDeb(folder, { compression: 'none' }), installDebian(folder)])
  took('Debian and the package made')
  const image = await makeImage(folder, deb, agentYaml(collector))
  took('installed')
  const guest = await Machine.boot(image, folder, 90)
  took('booted')
  return guest
}

/** Of the host's loopback qemu's user network makes 10.0.2.2. */
function agentYaml({ running }: RoadCollector): string {
  const broker = new URL(running.broker!)
  return [
    'daemon: agent',
    'sources:',
    ...usualSources(`${readEvery}s`).map(source => `  - ${JSON.stringify(source)}`),
    'uplinks:',
    `  - { type: mqtt, brokers: ["mqtt://10.0.2.2:${broker.port}"] }`,
    '',
  ].join('\n')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
