// What a series of source `smart` says of a drive (docs/smart.md), in few words. Pure.

import type { Attributes, Series } from '../../core/model.ts'
import { type CountName, counts, smartIds } from './reading.ts'

/** What a drive calls itself. */
export interface Who {
  readonly vendor?: string
  readonly model?: string
  readonly serial?: string
}

export const words = [
  ...counts,
  'hours',
  'seconds_on',
  'starts',
  'bytes',
  'used',
  'spare',
  'spare_limit',
  'media_errors',
  'grown_defects',
  'waiting_defects',
  'uncorrected_read',
  'uncorrected_write',
  'uncorrected_verify',
  'degraded',
  'predicted_failure',
  'failed',
  'warns_spare',
  'warns_temperature',
  'warns_reliability',
  'warns_read_only',
  'warns_backup',
  'warns_persistent_memory',
  'self_test_failed',
  'awake',
] as const
export type Word = (typeof words)[number]

export interface Saying {
  /** The same wherever the drive is; of one that has no name of its own, with the node's. */
  readonly drive: string
  readonly hardware: string
  readonly who: Who
  readonly word: Word
  /** Its name there today. */
  readonly device?: string
  readonly medium?: 'spinning' | 'flash'
  readonly simulated: boolean
}

const bySmartId = new Map<unknown, Word>([[9, 'hours'], ...counts.map((c): [number, CountName] => [smartIds[c], c])])
const isWord = (text: string): text is Word => (words as readonly string[]).includes(text)
const known = (text: string): Word | undefined => (isWord(text) ? text : undefined)

const metrics: Readonly<Record<string, (of: Attributes) => Word | undefined>> = {
  'hw.physical_disk.smart': of => bySmartId.get(of['hw.physical_disk.smart_id']),
  'hw.physical_disk.power_on_time': () => 'seconds_on',
  'hw.physical_disk.cycles': of => (of['hw.physical_disk.cycle'] === 'power' ? 'starts' : undefined),
  'hw.physical_disk.size': () => 'bytes',
  'hw.physical_disk.awake': () => 'awake',
  'hw.physical_disk.endurance_utilization': of => (of['hw.physical_disk.state'] === 'used' ? 'used' : undefined),
  'hw.physical_disk.spare': () => 'spare',
  'hw.physical_disk.spare.limit': () => 'spare_limit',
  'hw.physical_disk.warning': of => known(`warns_${of['hw.physical_disk.warning']}`),
  'hw.physical_disk.defects': of => defects[String(of['hw.physical_disk.defect'])],
  'hw.physical_disk.self_test': of =>
    of['hw.physical_disk.self_test.state'] === 'failed' ? 'self_test_failed' : undefined,
  'hw.errors': of => (of['error.type'] === 'media' ? 'media_errors' : uncorrected(of)),
  'hw.status': of => known(String(of['hw.state'])),
}
const defects: Readonly<Record<string, Word>> = { grown: 'grown_defects', pending: 'waiting_defects' }

function uncorrected(of: Attributes): Word | undefined {
  return of['error.type'] === 'uncorrected' ? known(`uncorrected_${of['disk.io.direction']}`) : undefined
}

/** Undefined: it is not about a drive's health, or of a source that names its drives otherwise. */
export function sayingOf(node: string, { name, attributes }: Series): Saying | undefined {
  const word = Object.hasOwn(metrics, name) ? metrics[name]!(attributes) : undefined
  const drive = word && driveOf(node, attributes)
  if (word === undefined || drive === undefined) return undefined
  const device = word === 'awake' ? text(attributes, 'hw.name') : undefined
  const medium = word === 'bytes' ? media[String(attributes['hw.physical_disk.type'])] : undefined
  return {
    drive,
    hardware: text(attributes, 'hw.id')!,
    who: whoOf(attributes),
    word,
    ...(device !== undefined && { device }),
    ...(medium !== undefined && { medium }),
    simulated: attributes.simulated === true,
  }
}

const media: Readonly<Record<string, 'spinning' | 'flash'>> = { HDD: 'spinning', SSD: 'flash' }

/** Virtual drives are called alike on every host. */
const virtual = /qemu|vmware|vbox|virtual/i

/** Undefined where the attributes are of no drive that source `smart` reads; Redfish knows drives by the slots of a server. */
export function driveOf(node: string, attributes: Attributes): string | undefined {
  const id = text(attributes, 'hw.id')
  if (id === undefined || attributes['hw.type'] !== 'physical_disk' || 'server.address' in attributes) return undefined
  const { vendor = '', model = '', serial } = whoOf(attributes)
  const named = id.startsWith('wwn-') || serial !== undefined
  return named && !virtual.test(`${vendor} ${model}`) ? id : `${id}@${node}`
}

function whoOf(attributes: Attributes): Who {
  const [vendor, model, serial] = ['hw.vendor', 'hw.model', 'hw.serial_number'].map(key => text(attributes, key))
  return { ...(vendor && { vendor }), ...(model && { model }), ...(serial && { serial }) }
}

function text(attributes: Attributes, key: string): string | undefined {
  const value = attributes[key]
  return typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined
}

const longest = 200
