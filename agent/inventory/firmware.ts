// The machine as its firmware describes it: /sys/class/dmi/id, SMBIOS (DSP0134). Serial numbers are open to root alone.

import type { Host } from '../../core/host.ts'
import { type Component, type ComponentType, fieldsOf, lineOf } from './component.ts'

const folder = '/sys/class/dmi/id'

const files: readonly (readonly [ComponentType, Readonly<Record<string, string>>])[] = [
  [
    'system',
    {
      vendor: 'sys_vendor',
      model: 'product_name',
      version: 'product_version',
      family: 'product_family',
      sku: 'product_sku',
      serial: 'product_serial',
      uuid: 'product_uuid',
    },
  ],
  ['mainboard', { vendor: 'board_vendor', model: 'board_name', version: 'board_version', serial: 'board_serial' }],
  [
    'enclosure',
    { vendor: 'chassis_vendor', version: 'chassis_version', serial: 'chassis_serial', asset_tag: 'chassis_asset_tag' },
  ],
  ['firmware', { vendor: 'bios_vendor', version: 'bios_version', date: 'bios_date', release: 'bios_release' }],
]

export function machineParts(host: Host): readonly Component[] {
  return files.flatMap(([type, names]) => {
    const found = Object.entries(names).map(([field, name]) => [field, lineOf(host, `${folder}/${name}`)])
    const fields = fieldsOf(Object.fromEntries(found))
    return Object.keys(fields).length === 0 ? [] : [{ type, place: type, fields }]
  })
}
