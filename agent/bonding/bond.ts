// A bond as /proc/net/bonding/* prints it (drivers/net/bonding/bond_procfs.c of the kernel), or, where a mount of /proc
// does not show it, as /sys/class/net/*/bonding has it: Documentation/networking/bonding.rst.

import { join } from 'node:path'
import type { Host } from '../../core/host.ts'

export interface Bond {
  /** As the kernel words it: `IEEE 802.3ad Dynamic link aggregation`, or `802.3ad`. */
  readonly mode: string
  readonly up: boolean
  /** In the modes that have one: its name, or null while there is none. */
  readonly active: string | null | undefined
  /** Of LACP, where it can be known: the aggregator that carries the traffic. */
  readonly aggregator: number | undefined
  readonly slaves: readonly Slave[]
}

export interface Slave {
  readonly name: string
  readonly up: boolean
  /** Times the link was lost. */
  readonly failures: number
  /** Of LACP: the aggregator it is in; null: in none. Undefined where it cannot be known. */
  readonly aggregator: number | null | undefined
  readonly churn: readonly Churn[]
}

/** IEEE 802.1AX 6.4.16: a port that does not get into step with the other end. */
export interface Churn {
  readonly side: 'actor' | 'partner'
  readonly churned: boolean
  readonly count: number
}

export function isLacp({ mode }: Bond): boolean {
  return mode.includes('802.3ad')
}

type Fields = ReadonlyMap<string, string>

const title = 'Ethernet Channel Bonding Driver'

/** @throws Error that names the file. */
export function parseBond(file: string, bytes: Buffer): Bond {
  const text = bytes.toString('utf8')
  const fail = (what: string): never => {
    throw new Error(`${file}: expected ${what}`)
  }
  if (!text.startsWith(`${title}: `)) fail(`the line ${title}`)
  if (!text.endsWith('\n')) fail('the end of a line')
  const [head, ...rest] = text.split(/^(?=Slave Interface: )/m)
  const fields = fieldsOf(head!)
  const need = (of: Fields, name: string): string => of.get(name) ?? fail(`a line ${name}`)
  const isUp = (of: Fields): boolean => up(need(of, 'MII Status')) ?? fail('MII Status: up or down')
  const number = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    return /^\d{1,10}$/.test(text) ? Number(text) : fail(`a number, not ${text}`)
  }
  const slave = (part: string): Slave => {
    const of = fieldsOf(part)
    return {
      name: need(of, 'Slave Interface'),
      up: isUp(of),
      failures: number(need(of, 'Link Failure Count')) ?? fail('a Link Failure Count'),
      aggregator: of.get('Aggregator ID') === 'N/A' ? null : number(of.get('Aggregator ID')),
      churn: (['actor', 'partner'] as const).flatMap(side => churnOf(of, side, number) ?? []),
    }
  }
  const active = fields.get('Currently Active Slave')
  return {
    mode: need(fields, 'Bonding Mode'),
    up: isUp(fields),
    active: active === 'None' ? null : active,
    aggregator: number(fields.get('Aggregator ID')),
    slaves: rest.map(slave),
  }
}

/** `name: value` lines; those of the LACP details are indented by blanks, those of the active aggregator by a tab. */
function fieldsOf(part: string): Fields {
  return new Map([...part.matchAll(/^\t?(\S[^:\n]*): ([^\n]*)\n/gm)].map(m => [m[1]!, m[2]!]))
}

/** `going down` and `going back` are the delays after a change, in which a link still, or not yet, carries. */
function up(status: string): boolean | undefined {
  if (status === 'up' || status === 'going down') return true
  return status === 'down' || status === 'going back' ? false : undefined
}

function churnOf(
  of: Fields,
  side: 'actor' | 'partner',
  number: (text?: string) => number | undefined,
): Churn | undefined {
  const name = side === 'actor' ? 'Actor' : 'Partner'
  const state = of.get(`${name} Churn State`)
  const count = number(of.get(`${name} Churned Count`))
  return state === undefined || count === undefined ? undefined : { side, churned: state === 'churned', count }
}

const interfaceName = '[^\\s/\\uFFFD\\p{Cc}]+'
const names = new RegExp(`^(${interfaceName}( ${interfaceName})* ?)?$`, 'u')
const shapes = {
  bonding_masters: names,
  mode: /^\S+ \d$/,
  slaves: names,
  active_slave: new RegExp(`^(${interfaceName})?$`, 'u'),
  mii_status: /^(up|down|going down|going back)$/,
  link_failure_count: /^\d{1,10}$/,
  ad_aggregator: /^(\d{1,10}|N\/A)$/,
  ad_aggregator_id: /^(\d{1,10}|N\/A)$/,
} as const

/** The one line of a file of sysfs; undefined where it is absent. */
function line(host: Host, folder: string, name: keyof typeof shapes): string | undefined {
  const path = join('/sys/class/net', folder, name)
  const text = host.read(path)?.toString('utf8')
  if (text === undefined) return undefined
  if (!text.endsWith('\n') || !shapes[name].test(text.slice(0, -1))) throw new Error(`${path}: unexpected content`)
  return text.slice(0, -1)
}

/** Undefined where the bond is not there, or does not say all that is needed. */
export function readSysfs(host: Host, name: string): Bond | undefined {
  const folder = `${name}/bonding`
  const mode = line(host, folder, 'mode')?.split(' ')[0]
  const names = readSlaves(host, name)
  const status = line(host, folder, 'mii_status')
  const slaves = names?.flatMap(of => readSlave(host, of) ?? [])
  if (mode === undefined || status === undefined || slaves === undefined || slaves.length < names!.length)
    return undefined
  const active = mode === 'active-backup' ? line(host, folder, 'active_slave') : undefined
  return {
    mode,
    up: up(status) === true,
    active: active === '' ? null : active,
    aggregator: mode === '802.3ad' ? readAggregator(host, name) : undefined,
    slaves,
  }
}

function readSlave(host: Host, name: string): Slave | undefined {
  const folder = `${name}/bonding_slave`
  const status = line(host, folder, 'mii_status')
  const failures = line(host, folder, 'link_failure_count')
  if (status === undefined || failures === undefined) return undefined
  const aggregator = id(line(host, folder, 'ad_aggregator_id'))
  return { name, up: up(status) === true, failures: Number(failures), aggregator, churn: [] }
}

/** The names of all bonds; none where the module is not loaded. */
export function readMasters(host: Host): readonly string[] {
  return line(host, '', 'bonding_masters')?.split(' ').filter(Boolean) ?? []
}

export function readSlaves(host: Host, name: string): readonly string[] | undefined {
  return line(host, `${name}/bonding`, 'slaves')?.split(' ').filter(Boolean)
}

/** Also without the privilege that /proc/net/bonding asks for. */
export function readAggregator(host: Host, name: string): number | undefined {
  return id(line(host, `${name}/bonding`, 'ad_aggregator')) ?? undefined
}

/** 0 and N/A are none. */
function id(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined
  return text === 'N/A' || Number(text) === 0 ? null : Number(text)
}
