// Which chips and thermal zones a machine has: /sys/class/hwmon, /sys/class/thermal.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import type { Trouble } from '../../core/log.ts'
import { inOrder, parseText } from '../sysfs.ts'
import { type Chip, chipOf } from './chip.ts'
import { chipId, numbering } from './identity.ts'

/** The chips by their place, as far as `wanted` by name; those known already stay the same objects. */
export function findChips(
  host: Host,
  known: ReadonlyMap<string, Chip>,
  wanted: (name: string) => boolean,
  trouble: Trouble,
): Map<string, Chip> {
  const found = new Map<string, Chip>()
  const unique = numbering()
  const names = new Set<string>()
  const add = (link: string, make: (folder: string) => Chip | undefined): void => {
    const folder = host.realpath(link)
    if (folder === undefined) return
    try {
      const chip = make(folder)
      if (chip === undefined) return
      const before = known.get(chip.folder)
      found.set(chip.folder, before?.id === chip.id ? before : chip)
      trouble(link, undefined)
    } catch (error) {
      trouble(link, reason(error))
    }
  }
  for (const entry of inOrder(host.list('/sys/class/hwmon'))) {
    add(`/sys/class/hwmon/${entry}`, folder => {
      const name = textOf(host, `${folder}/name`)
      if (name === undefined) return undefined
      names.add(name)
      const id = unique(chipId(name, host.realpath(`${folder}/device`)))
      const label = (file: string): string | undefined => textOf(host, file)
      return wanted(name) ? chipOf({ id, name, folder }, host.list(folder), label) : undefined
    })
  }
  for (const entry of inOrder(host.list('/sys/class/thermal').filter(e => e.startsWith('thermal_zone')))) {
    add(`/sys/class/thermal/${entry}`, folder => {
      const name = textOf(host, `${folder}/type`)
      if (name === undefined || isShown(name, names) || !wanted(name)) return undefined
      return zone({ id: unique(`${name}-thermal`), name, folder }, host.list(folder))
    })
  }
  return found
}

/** A zone's `temp` is what a chip calls `temp1_input`. */
function zone(chip: Omit<Chip, 'sensors'>, files: readonly string[]): Chip {
  const { sensors } = chipOf(chip, files.includes('temp') ? ['temp1_input'] : [], () => undefined)
  return { ...chip, sensors: sensors.map(sensor => ({ ...sensor, input: `${chip.folder}/temp` })) }
}

/** The kernel shows most zones as a chip of the same name, and the package of Intel's CPUs as a sensor of coretemp. */
function isShown(zone: string, chips: ReadonlySet<string>): boolean {
  return chips.has(zone.replaceAll('-', '_')) || (zone === 'x86_pkg_temp' && chips.has('coretemp'))
}

function textOf(host: Host, file: string): string | undefined {
  const bytes = host.read(file)
  return bytes && parseText(file, bytes)
}
