// PCI Express: Advanced Error Reporting, Downstream Port Containment, links and slots.

import type { Severity } from '../../core/model.ts'
import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const hw = '(?<hw>[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])'

function severityOf(level: string): Severity {
  if (/Uncorrect(?:ed|able).*\(Fatal|(?<!Non-)\bFatal/i.test(level) && !/non-?fatal/i.test(level)) return 'critical'
  return /^(Corrected|Correctable)/i.test(level) ? 'warning' : 'error'
}

function refineError(fields: Fields): Refined {
  const level = textOf(fields, 'level')
  return { severity: severityOf(level), fields: { corrected: /^correct/i.test(level) } }
}

/** The lines after the headline; all of one device. */
const details = [
  new RegExp(
    `${hw}: +device \\[(?<model>[0-9a-f]{4}:[0-9a-f]{4})\\] error status/mask=(?<status>[0-9a-f]+)/(?<mask>[0-9a-f]+)`,
  ),
  new RegExp(`${hw}: +\\[ *(?<bit>\\d+)\\] (?<error>\\w+)`),
  new RegExp(`${hw}: +(?:AER: +)?TLP Header: (?<tlp>[0-9a-f ]+)`),
]

const bus = new RegExp(
  `${hw}: (?:AER: )?PCIe Bus Error: severity=(?<level>[^,]+(?:\\([^)]*\\))?), type=(?<layer>[^,]+), \\(?(?:id=)?(?<agent>[^)]+)\\)?`,
)

export const pcie: readonly Rule[] = [
  {
    event: 'kernel.pcie.error',
    severity: 'error',
    pattern: new RegExp(
      `(?<reporter>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]): AER: (?:Multiple )?(?<level>Correct(?:ed|able)|Uncorrect(?:ed|able) \\([\\w-]+\\)) error (?:message )?received:? (?:from )?${hw}`,
    ),
    more: [bus, ...details],
    refine: refineError,
  },
  {
    event: 'kernel.pcie.error',
    severity: 'error',
    pattern: bus,
    more: details,
    refine: refineError,
  },
  {
    event: 'kernel.pcie.error',
    severity: 'error',
    pattern: new RegExp(
      `${hw}: AER: (?:aer_status|aer_(?:un)?cor_status): (?<status>0x[0-9a-f]+), aer_mask: (?<mask>0x[0-9a-f]+)`,
    ),
    more: [...details, new RegExp(`${hw}: AER: aer_layer=(?<layer>[^,]+), aer_agent=(?<agent>.*)$`)],
  },
  {
    event: 'kernel.pcie.error',
    severity: 'critical',
    pattern: new RegExp(
      `${hw}: (?:DPC: )?(?<what>containment event, status:(?<status>0x[0-9a-f]+).*|(?:unmasked )?uncorrectable error detected.*|RP PIO error detected)`,
    ),
    more: [
      ...details,
      new RegExp(`${hw}: (?:DPC: )?(?<reason>(?:unmasked uncorrectable|ERR_\\w+|RP PIO|software).*)$`),
    ],
  },
  {
    event: 'kernel.pcie.error',
    severity: 'critical',
    pattern: new RegExp(
      `${hw}: (?:AER: )?(?<what>device recovery failed|can't recover.*|broken device, retraining.*|not ready \\d+ms after.*giving up|Data Link Layer Link Active not set.*)`,
    ),
  },
  {
    event: 'kernel.pcie.error',
    severity: 'warning',
    pattern: new RegExp(`${hw}: (?:AER: )?(?<what>device recovery successful)`),
  },
  {
    event: 'kernel.pcie.link',
    severity: 'error',
    pattern: new RegExp(
      `${hw}(?::pcie\\d+)?: (?:pciehp: )?Slot\\((?<slot>[^)]+)\\): (?<state>Link Down|Card not present|Surprise Down.*|Power fault.*|Failed to check link status|Cannot train link.*)`,
    ),
  },
  {
    event: 'kernel.pcie.link',
    severity: 'info',
    pattern: new RegExp(`${hw}(?::pcie\\d+)?: (?:pciehp: )?Slot\\((?<slot>[^)]+)\\): (?<state>Link Up|Card present)`),
  },
  {
    event: 'kernel.pcie.link',
    severity: 'warning',
    pattern: new RegExp(
      `${hw}: (?<available>[\\d.]+) Gb/s available PCIe bandwidth, limited by (?<speed>[\\d.]+ GT/s)(?: PCIe)? x(?<width>\\d+) link at (?<limit>[0-9a-f:.]+) \\(capable of (?<capable>[\\d.]+) Gb/s`,
    ),
    refine: () => ({ fields: { state: 'slower than it could be' } }),
  },
  {
    event: 'kernel.iommu.fault',
    severity: 'error',
    pattern: /DMAR: (?<what>\[(?:DMA|INTR)[^\]]*\] Request device \[(?<hw>[0-9a-f:.]+)\].*)$/,
  },
  {
    event: 'kernel.iommu.fault',
    severity: 'error',
    pattern:
      /AMD-Vi: (?:Event logged )?\[?(?<what>(?:IO_PAGE_FAULT|ILLEGAL_DEV_TABLE_ENTRY|DEV_TAB_HARDWARE_ERROR|PAGE_TAB_HARDWARE_ERROR|INVALID_DEVICE_REQUEST|INVALID_PPR_REQUEST)(?:.*?device=(?<hw>[0-9a-f:.]+))?.*)$/,
  },
  {
    event: 'kernel.iommu.fault',
    severity: 'error',
    pattern:
      /arm-smmu(?:-v3)? (?<hw>[\w.]+): (?<what>(?:Unhandled context fault|event 0x|EVTQ overflow|CMDQ timeout|TLB sync timed out).*)$/,
  },
]
