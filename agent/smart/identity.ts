// Who a drive is, whatever its name is today: its WWN, else model and serial number. Written as udev writes it, so that
// `ls /dev/disk/by-id/` shows the same.

import type { Fields } from './fields.ts'

export interface Identity {
  /** `wwn-0x5000c500a1b2c3d4`, else `nvme-MODEL_SERIAL`; a drive that tells neither has the name it has here. */
  readonly id: string
  readonly vendor: string | undefined
  readonly model: string | undefined
  readonly serial: string | undefined
  readonly firmware: string | undefined
}

/**
 * Undefined where the report has no drive: it could not be opened, or sleeps.
 * @throws Error where it has a WWN that cannot be one.
 */
export function identify(report: Fields): Identity | undefined {
  const device = report.map('device')
  const vendor = first(report, ['scsi_vendor', 'vendor']) ?? vendorOf(report)
  const model = first(report, ['model_name', 'scsi_model_name', 'scsi_product', 'product'])
  const serial = report.text('serial_number')
  const firmware = firmwareOf(report)
  if (model === undefined && serial === undefined) return undefined
  const id = wwn(report) ?? named(device.text('protocol'), model, serial) ?? device.text('info_name')
  return id === undefined ? undefined : { id, vendor, model, serial, firmware }
}

export function firmwareOf(report: Fields): string | undefined {
  return first(report, ['firmware_version', 'scsi_revision', 'revision'])
}

/** smartctl before 7.3 names the parts of a SCSI drive without the prefix. */
function first(report: Fields, keys: readonly string[]): string | undefined {
  return keys.map(key => report.text(key)).find(text => text !== undefined)
}

/** IEEE: 4 bits of NAA, 24 of the vendor, 36 of the drive. Some drives have zeros there, which is none. */
function wwn(report: Fields): string | undefined {
  const unit = report.text('logical_unit_id')
  if (unit !== undefined && /^0x[\da-f]{16}$/i.test(unit) && !/^0x0+$/.test(unit)) return `wwn-${unit.toLowerCase()}`
  if (!report.has('wwn')) return undefined
  const fields = report.map('wwn')
  const parts = [fields.count('naa'), fields.count('oui'), fields.count('id')]
  const [naa, oui, id] = parts
  if (naa === undefined || oui === undefined || id === undefined || naa >= 16 || oui >= 2 ** 24 || id >= 2 ** 36) {
    throw new Error(`wwn is not one: ${parts.join(', ')}`)
  }
  if (oui === 0 && id === 0) return undefined
  return `wwn-0x${((BigInt(naa) << 60n) | (BigInt(oui) << 36n) | BigInt(id)).toString(16).padStart(16, '0')}`
}

function named(protocol = 'disk', model: string | undefined, serial: string | undefined): string | undefined {
  if (serial === undefined) return undefined
  const name = model === undefined ? serial : `${model}_${serial}`
  return `${protocol.toLowerCase()}-${name.replace(/\s+/g, '_')}`
}

/** ATA has no field for it: the first word of the model or of its family where that is a vendor's name. */
const vendors =
  /^(Seagate|WDC|Western Digital|HGST|Hitachi|Toshiba|KIOXIA|Samsung|Intel|Solidigm|Micron|Crucial|Kingston|SanDisk|Fujitsu|Maxtor|Transcend|ADATA|SK ?hynix|Phison|Corsair|PNY|Lexar|Apple|QEMU|VMware|Dell|HP|HPE|Lenovo|IBM|Innodisk|Patriot|OCZ|Plextor|LITEON)\b/i
const seagate = /^ST\d{2,}/

function vendorOf(report: Fields): string | undefined {
  const model = report.text('model_name')
  if (model !== undefined && seagate.test(model)) return 'Seagate'
  return [model, report.text('model_family')].flatMap(name => vendors.exec(name ?? '')?.[1] ?? [])[0]
}
