// NVIDIA: Xid of GPUs and SXid of NVSwitches, as the driver writes them into the kernel's log.

import type { Severity } from '../../core/model.ts'
import { type Fields, numberOf, type Refined, type Rule, textOf } from './rule.ts'
import { type Due, xids } from './xid.ts'

/** A GPU that serves nobody until somebody acts, or has given wrong answers. */
const grave: ReadonlySet<number> = new Set([48, 64, 79, 95, 140, 143, 157, 158, 167])

const severities: Readonly<Record<Due, Severity>> = {
  nothing: 'warning',
  'restart-application': 'warning',
  'restart-fabric-manager': 'warning',
  'update-software': 'warning',
  'check-hardware': 'error',
  'contact-support': 'error',
  'reset-gpu': 'error',
  'drain-and-reset-gpu': 'error',
  'restart-vm': 'error',
  reboot: 'critical',
  'replace-gpu': 'critical',
}

/** How the driver calls what is due, Xid 154. */
const recoveryActions: Readonly<Record<string, Due>> = {
  None: 'nothing',
  'GPU Reset Required': 'reset-gpu',
  'Drain P2P': 'drain-and-reset-gpu',
  'Drain and Reset': 'drain-and-reset-gpu',
  'Node Reboot Required': 'reboot',
}

function refineXid(fields: Fields): Refined {
  const xid = numberOf(fields, 'xid')!
  const detail = textOf(fields, 'detail')
  const known = xids.get(xid)
  const due = dueBy(xid, detail, known?.due)
  const severity = grave.has(xid) ? 'critical' : severities[due]
  const meaning = known?.meaning ?? 'not in the catalogue'
  const link = /\b[Ll]ink (-?\d+)/.exec(detail)?.[1]
  return {
    severity,
    fields: {
      meaning,
      ...(known && { mnemonic: known.mnemonic }),
      due,
      ...(known?.again && { again: known.again }),
      application_restart_due: due === 'restart-application',
      reset_due: due === 'reset-gpu' || due === 'drain-and-reset-gpu',
      reboot_due: due === 'reboot' || due === 'restart-vm',
      replacement_due: due === 'replace-gpu',
      ...(link !== undefined && { link: Number(link) }),
    },
  }
}

/** What the driver itself says counts more than the catalogue. */
function dueBy(xid: number, detail: string, usual: Due = 'contact-support'): Due {
  const action = /recovery action changed from .* to 0x[0-9a-f]+ \(([^)]+)\)/i.exec(detail)?.[1]
  if (xid === 154 && action !== undefined) return recoveryActions[action] ?? usual
  if (/reset gpu to activate|reload the driver to activate/i.test(detail)) return 'reset-gpu'
  // XID 144 to 150: fatal ones need a reset, others no more than a look (the catalogue's NVLink 5 sheet).
  if (xid >= 144 && xid <= 150 && /\bFatal\b/.test(detail)) return 'reset-gpu'
  return usual
}

function refineSxid(fields: Fields): Refined {
  const fatal = /^fatal/i.test(textOf(fields, 'class'))
  return {
    severity: fatal ? 'critical' : 'warning',
    fields: { fatal, due: fatal ? 'reset-gpu' : 'nothing', reset_due: fatal },
  }
}

const pci = '(?:PCI:)?(?<hw>[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2})(?:\\.[0-7])?'

export const nvidia: readonly Rule[] = [
  {
    event: 'kernel.gpu.xid',
    severity: 'error',
    pattern: new RegExp(
      `NVRM:.*? Xid \\(${pci}\\): (?<xid>\\d{1,4})(?=[,:. ]|$)[,:.]? ?(?:pid='?(?:(?<pid>\\d+)|<?unknown>?)'?,? ?)?(?:name=(?:<unknown>|(?<process>[^,]*)),? ?)?(?<detail>.*)$`,
    ),
    refine: refineXid,
  },
  {
    event: 'kernel.gpu.sxid',
    severity: 'warning',
    pattern: new RegExp(
      `SXid \\(${pci}\\): (?<sxid>\\d{4,6}), (?<class>Non-fatal|Fatal|Corrected)?,? ?(?:Link (?<link>\\d+) ?)?(?<detail>.*)$`,
      'i',
    ),
    more: [
      new RegExp(`SXid \\(${pci}\\): (?<sxid>\\d{4,6}), Severity (?<level>\\d+)`),
      new RegExp(`SXid \\(${pci}\\): (?<sxid>\\d{4,6}), Data (?<data>\\{.*)$`),
    ],
    refine: refineSxid,
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'critical',
    pattern: new RegExp(`NVRM:.* GPU (?:at )?${pci}:? (?<what>(?:GPU )?has fallen off the bus.*)$`),
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'critical',
    pattern: /NVRM: The NVIDIA GPU (?<hw>[0-9a-f:]+)(?:\.[0-7])?\b/,
    more: [/NVRM: (?<what>fell off the bus.*|\(PCI ID.*)$/, /NVRM: (?<what>fallen off the bus.*)$/],
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'error',
    pattern: /NVRM: (?:\w+: )?(?<what>RC watchdog: GPU is probably locked.*)$/,
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'error',
    pattern: new RegExp(`NVRM: GPU ${pci}: (?<what>RmInitAdapter failed!.*|rm_init_adapter failed.*)$`),
  },
]
