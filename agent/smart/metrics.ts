// What a drive can tell, whatever its kind. Each series has the drive's identity, see identity.ts.

import { type Metric, metric } from '../metric.ts'

/** On each series of a drive. */
export const identityKeys = ['hw.id', 'hw.type', 'hw.vendor', 'hw.model', 'hw.serial_number']

/** Of metrics and events. */
export const origin = '/run/fieldline/smart/*.json, written by fieldline-smart.timer'

function told(name: string, unit: string, kind: 'gauge' | 'counter', keys: readonly string[], brief: string): Metric {
  return metric(name, unit, kind, [...identityKeys, ...keys], origin, brief)
}

const drive = (what: string): string => `hw.physical_disk.${what}`

export const metrics = {
  status: told(
    'hw.status',
    '1',
    'gauge',
    ['hw.state'],
    '1 for the one state it is in: ok, degraded, predicted_failure, failed',
  ),
  awake: told(
    drive('awake'),
    '1',
    'gauge',
    ['hw.name'],
    '0 while it sleeps: it is not woken, and has no other values then; with its name today',
  ),
  size: told(drive('size'), 'By', 'gauge', ['hw.firmware_version', 'hw.physical_disk.type'], 'size'),
  temperature: told('hw.temperature', 'Cel', 'gauge', ['hw.sensor_location'], 'temperature'),
  temperatureLimit: told(
    'hw.temperature.limit',
    'Cel',
    'gauge',
    ['hw.sensor_location', 'hw.limit_type'],
    'what it is made for',
  ),
  smart: told(
    drive('smart'),
    '1',
    'gauge',
    ['hw.physical_disk.smart_attribute', 'hw.physical_disk.smart_id'],
    'raw value of an ATA attribute, unpacked: the count, hours or degrees it stands for',
  ),
  smartRaw: told(
    drive('smart.raw'),
    '1',
    'gauge',
    ['hw.physical_disk.smart_attribute', 'hw.physical_disk.smart_id'],
    'all 48 bits of the raw value, as the drive has them',
  ),
  smartNormalized: told(
    drive('smart.normalized'),
    '1',
    'gauge',
    ['hw.physical_disk.smart_attribute', 'hw.physical_disk.smart_id'],
    'normalized value, 1 to 253; lower is worse',
  ),
  statistic: told(
    drive('statistic'),
    '1',
    'gauge',
    ['hw.physical_disk.statistic'],
    'a value of the ATA device statistics, by its name there',
  ),
  endurance: told(
    drive('endurance_utilization'),
    '1',
    'gauge',
    ['hw.physical_disk.state'],
    'wear: the part of the rated endurance that is used (may pass 1), and that remains',
  ),
  spare: told(drive('spare'), '1', 'gauge', [], 'the part of the spare capacity that is available'),
  spareLimit: told(drive('spare.limit'), '1', 'gauge', [], 'below it the drive warns'),
  warning: told(
    drive('warning'),
    '1',
    'gauge',
    ['hw.physical_disk.warning'],
    '1 for each bit set of the critical warning of NVMe',
  ),
  errors: told('hw.errors', '{error}', 'counter', ['error.type', 'disk.io.direction'], 'errors that the drive counted'),
  corrections: told(
    drive('corrections'),
    '{correction}',
    'counter',
    ['hw.physical_disk.correction', 'disk.io.direction'],
    'what a SCSI drive did to correct: ecc_fast, ecc_delayed, retry; and invocations of its algorithm',
  ),
  defects: told(
    drive('defects'),
    '{sector}',
    'gauge',
    ['hw.physical_disk.defect'],
    'sectors replaced (grown), and such as wait for it (pending)',
  ),
  powerOnTime: told(drive('power_on_time'), 's', 'counter', [], 'time under power; drives count hours'),
  cycles: told(
    drive('cycles'),
    '{cycle}',
    'counter',
    ['hw.physical_disk.cycle'],
    'power-ups, spindle starts, loads of the heads',
  ),
  unsafeShutdowns: told(drive('unsafe_shutdowns'), '{shutdown}', 'counter', [], 'power lost without notice'),
  io: told(drive('io'), 'By', 'counter', ['disk.io.direction'], 'data read and written in its life'),
  operations: told(
    drive('operations'),
    '{operation}',
    'counter',
    ['disk.io.direction'],
    'commands that read and wrote in its life',
  ),
  busyTime: told(drive('busy_time'), 's', 'counter', [], 'time the controller was busy; NVMe counts minutes'),
  hotTime: told(
    drive('hot_time'),
    's',
    'counter',
    ['hw.limit_type'],
    'time above the limits of temperature; NVMe counts minutes',
  ),
  linkSpeed: told(drive('link.speed'), 'By/s', 'gauge', [], 'speed of its SATA link'),
  linkSpeedLimit: told(drive('link.speed.limit'), 'By/s', 'gauge', [], 'speed its SATA link can have'),
  selfTest: told(
    drive('self_test'),
    '1',
    'gauge',
    ['hw.physical_disk.self_test.state'],
    '1 for the state of the last self-test: passed, failed, aborted, running',
  ),
  selfTestRemaining: told(drive('self_test.remaining'), '1', 'gauge', [], 'the part of the running self-test to go'),
} as const satisfies Readonly<Record<string, Metric>>
