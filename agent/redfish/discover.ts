// What a Redfish service has, found by its links: where to look is each vendor's own.

import type { Kind } from './read.ts'
import { link, links, type Resource, resource, text } from './resource.ts'

export interface Target {
  readonly kind: Kind
  readonly path: string
}

export interface Found {
  readonly targets: readonly Target[]
  /** Collections of log entries. */
  readonly logs: readonly { readonly name: string; readonly entries: string }[]
}

/** The resource at a path, or undefined where it cannot be had: that is told of by whoever gets it. */
export type Get = (path: string) => Promise<Resource | undefined>

const mostMembers = 100
const mostTargets = 400

/** Logs of events; others are audits, dumps and journals without end. */
const eventLog = /^(sel|iml|eventlog|log1|standardlog|platformlog)$/i

export async function discover(root: Resource, get: Get): Promise<Found> {
  const targets = new Map<string, Target>()
  const logs: { name: string; entries: string }[] = []
  const add = (kind: Kind, path: string | undefined): void => {
    if (path !== undefined && targets.size < mostTargets) targets.set(`${kind} ${path}`, { kind, path })
  }
  const members = async (path: string | undefined): Promise<readonly string[]> =>
    path === undefined ? [] : links(await get(path), 'Members', mostMembers)

  const cooling = async (path: string | undefined): Promise<void> => {
    const body = path === undefined ? undefined : await get(path)
    for (const fan of await members(link(body, 'Fans'))) add('fan', fan)
    add('thermalMetrics', link(body, 'ThermalMetrics'))
  }

  const supplying = async (path: string | undefined): Promise<void> => {
    const body = path === undefined ? undefined : await get(path)
    if (body !== undefined) add('powerSubsystem', path)
    for (const supply of await members(link(body, 'PowerSupplies'))) {
      add('powerSupply', supply)
      add('powerSupplyMetrics', link(await get(supply), 'Metrics'))
    }
  }

  /** Chassis have the old resources, the new ones, or both, which then say the same. */
  const chassis = async (path: string): Promise<void> => {
    const body = await get(path)
    if (body === undefined) return
    const [thermal, power] = [link(body, 'Thermal'), link(body, 'Power')]
    const [newThermal, newPower] = [link(body, 'ThermalSubsystem'), link(body, 'PowerSubsystem')]
    add('chassis', path)
    add('thermal', thermal)
    add('power', power)
    if (thermal === undefined) await cooling(newThermal)
    if (power === undefined) {
      await supplying(newPower)
      add('environment', link(body, 'EnvironmentMetrics'))
    }
    if (thermal === undefined && newThermal === undefined)
      for (const sensor of await members(link(body, 'Sensors'))) add('sensor', sensor)
  }

  const storage = async (path: string | undefined): Promise<void> => {
    for (const controller of await members(path)) {
      const body = await get(controller)
      add('storage', controller)
      for (const drive of links(body, 'Drives', mostMembers)) add('drive', drive)
      for (const volume of await members(link(body, 'Volumes'))) add('volume', volume)
    }
  }

  const logging = async (path: string | undefined): Promise<void> => {
    for (const service of await members(path)) {
      if (!eventLog.test(service.replace(/\/+$/, '').split('/').at(-1)!)) continue
      const body = await get(service)
      const entries = link(body, 'Entries')
      if (entries !== undefined && logs.every(l => l.entries !== entries))
        logs.push({ name: text(body, 'Id') ?? service, entries })
    }
  }

  for (const path of await members(link(root, 'Chassis'))) await chassis(path)
  for (const path of await members(link(root, 'Systems'))) {
    const body = await get(path)
    add('system', body === undefined ? undefined : path)
    await storage(link(body, 'Storage'))
    await logging(link(body, 'LogServices'))
    // A service without a collection of chassis links them here.
    if (resource(root, 'Chassis') === undefined)
      for (const one of links(resource(body, 'Links'), 'Chassis', mostMembers)) await chassis(one)
  }
  for (const path of await members(link(root, 'Managers'))) await logging(link(await get(path), 'LogServices'))
  return { targets: [...targets.values()], logs }
}
