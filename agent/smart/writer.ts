// Asks every drive of the host by smartctl and leaves what it says in a folder, for the agent that may not ask itself.
// Never wakes a drive that sleeps (-n standby; an NVMe drive has nothing to spin up). One that hangs costs its own time
// limit and stops no other; while its smartctl still hangs in the kernel it is not asked again. Files are replaced whole,
// the index last. Everyone may read them: they hold no more than /dev/disk/by-id and the health of the drives.

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { parseFields } from './fields.ts'
import { type Asked, formatPass, indexName, mostDrives, type Pass, parsePass } from './pass.ts'

export interface Patience {
  /** How long one drive may take, ms. */
  readonly drive: number
  /** When no further drive is asked, ms after the start. */
  readonly pass: number
}

export const usualPatience: Patience = { drive: 30_000, pass: 300_000 }

const program = 'smartctl'
/** Looking for the drives opens each of them. */
const scanPatience = 60_000
/** Drives asked at the same time: they are slow, not the processor. */
const lanes = 4
const largestReport = 2 * 1024 ** 2

/** What there is to know of a drive without its tests being started and without the logs that upset old firmware. */
const question = [
  '--json=c',
  '--info',
  '--health',
  '--capabilities',
  '--attributes',
  '--log=xerror,error',
  '--log=xselftest,selftest',
  '--log=devstat',
  '--log=ssd',
  '--tolerance=verypermissive',
  '--nocheck=standby',
]

interface Device {
  readonly device: string
  readonly type: string
  /** Why it cannot be asked. */
  readonly trouble: string | undefined
}

/** @throws Error when smartctl is not installed or does not find out what drives there are; the old reports then stay. */
export async function writeReports(host: Host, folder: string, patience = usualPatience): Promise<Pass> {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const before = previous(folder)
  const time = host.now()
  const until = host.monotonic() + patience.pass
  const devices = await scan(host)
  const hanging = running(host)
  const files = fileNames(devices)
  const drives: Asked[] = []
  const waiting = [...devices.entries()]
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [n, device] = next
      const late = host.monotonic() >= until
      drives[n] = await ask(host, device, join(folder, files[n]!), late ? 0 : patience.drive, hanging)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  replace(join(folder, indexName), formatPass({ time, drives }))
  for (const name of before) if (!drives.some(d => d.file === name)) rmSync(join(folder, name), { force: true })
  return { time, drives }
}

async function scan(host: Host): Promise<readonly Device[]> {
  const args = ['--scan-open', '--json=c']
  const answer = await host.run(program, args, { timeout: scanPatience })
  if (answer === undefined) throw new Error('smartctl is not installed: it comes with the package smartmontools')
  return parseScan(answer.stdout)
}

/** @throws Error where it is not what smartctl prints. */
export function parseScan(stdout: Buffer): readonly Device[] {
  const fields = parseFields(`${program} --scan-open`, stdout, [])
  if (!fields.has('smartctl')) throw new Error(`${program} --scan-open: is not what smartctl prints`)
  return fields
    .list('devices')
    .map(found => ({ device: found.text('name'), type: found.text('type'), trouble: found.text('open_error') }))
    .filter((d): d is Device => d.device !== undefined && d.type !== undefined && isPlain(d.device, d.type))
    .slice(0, mostDrives)
}

/** Becomes an argument: nothing in it may be an option. */
function isPlain(device: string, type: string): boolean {
  return /^\/[\w/:.+-]+$/.test(device) && /^\w[\w,+:./-]*$/.test(type)
}

async function ask(
  host: Host,
  { device, type, trouble }: Device,
  file: string,
  timeout: number,
  hanging: ReadonlySet<string>,
): Promise<Asked> {
  const args = [...question, `--device=${type}`, device]
  if (trouble !== undefined) return { device, type, trouble }
  if (timeout === 0) return { device, type, trouble: 'not asked: the drives before it took too long' }
  if (hanging.has(args.join('\0'))) return { device, type, trouble: 'not asked: it still hangs from before' }
  try {
    const answer = await host.run(program, args, { timeout, maxBytes: largestReport })
    if (answer === undefined) throw new Error('smartctl is no longer installed')
    parseFields('its report', answer.stdout, [])
    replace(file, answer.stdout)
    return { device, type, file: file.slice(file.lastIndexOf('/') + 1) }
  } catch (error) {
    return { device, type, trouble: reason(error).slice(0, 200) }
  }
}

/** The arguments of each smartctl that runs: one that the kernel holds outlives the pass that started it. */
function running(host: Host): ReadonlySet<string> {
  const found = new Set<string>()
  for (const pid of host.list('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const words = host.read(`/proc/${pid}/cmdline`)?.toString('utf8').split('\0') ?? []
    if (words[0]?.endsWith(program)) found.add(words.slice(1, -1).join('\0'))
  }
  return found
}

/** `sda-sat.json`, `bus-0-megaraid-3.json`; each once. */
function fileNames(devices: readonly Device[]): readonly string[] {
  const taken = new Set([indexName])
  return devices.map(({ device, type }) => {
    const stem = `${device.replace(/^\/dev\//, '')}-${type}`.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-/, '')
    let name = `${stem}.json`
    for (let n = 2; taken.has(name); n++) name = `${stem}-${n}.json`
    taken.add(name)
    return name
  })
}

/** Whole or not at all; it lies in memory, so nothing is synced. */
function replace(file: string, content: string | Buffer): void {
  const fresh = join(file, '..', `.${file.slice(file.lastIndexOf('/') + 1)}.new`)
  writeFileSync(fresh, content)
  chmodSync(fresh, 0o644)
  renameSync(fresh, file)
}

/**
 * The reports of the pass before, the only files that may be removed.
 * @throws Error where the folder has an index of somebody else's.
 */
function previous(folder: string): readonly string[] {
  const index = join(folder, indexName)
  if (!existsSync(index)) return []
  return parsePass(index, readFileSync(index)).drives.flatMap(d => d.file ?? [])
}
