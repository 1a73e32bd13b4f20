// Errors of CPUs and memory: machine checks, EDAC, the firmware's own reports (APEI), pages taken out of use.

import type { Severity } from '../../core/model.ts'
import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

/** MCi_STATUS, Intel SDM volume 3 chapter 17 and AMD APM volume 2 chapter 9: these bits are the same in both. */
const [valid, overflow, uncorrected, contextCorrupt] = [63n, 62n, 61n, 57n]

function refineMachineCheck(fields: Fields): Refined {
  const status = BigInt(`0x${textOf(fields, 'status')}`)
  const has = (bit: bigint): boolean => ((status >> bit) & 1n) === 1n
  const corrected = has(valid) && !has(uncorrected)
  return {
    severity: corrected ? 'warning' : 'critical',
    fields: {
      corrected,
      overflow: has(overflow),
      context_corrupt: has(contextCorrupt),
      // The machine check error code and the model's own one.
      code: Number(status & 0xffffn),
    },
  }
}

function refineDecoded(fields: Fields): Refined {
  const flags = textOf(fields, 'flags')
  const told = textOf(fields, 'what')
  const corrected =
    /\bCE\b|CECC|Corrected/.test(`${flags} ${told}`) && !/\bUE\b|UECC|[Uu]ncorrect/.test(`${flags} ${told}`)
  return { severity: corrected ? 'warning' : 'critical', fields: { corrected } }
}

function refineApei(fields: Fields): Refined {
  const told = textOf(fields, 'level')
  const severities: Readonly<Record<string, Severity>> = {
    corrected: 'warning',
    info: 'info',
    recoverable: 'error',
    fatal: 'critical',
  }
  return { severity: severities[told] ?? 'error', fields: { corrected: told === 'corrected' || told === 'info' } }
}

function refineEdac(fields: Fields): Refined {
  const corrected = textOf(fields, 'type') === 'CE'
  return { severity: corrected ? 'warning' : 'critical', fields: { corrected } }
}

/** `{12}[Hardware Error]: ` of APEI, `[Hardware Error]: ` of the decoders. */
const head = '(?:\\{(?<record>\\d+)\\})?\\[Hardware Error\\]:\\s+'
const line = (what: string): RegExp => new RegExp(`${head}${what}`)

export const hardware: readonly Rule[] = [
  {
    event: 'kernel.mce',
    severity: 'critical',
    pattern:
      /\[Hardware Error\]: CPU (?<cpu>\d+): Machine Check(?: Exception)?: (?<mcgstatus>[0-9a-f]+) Bank (?<bank>\d+): (?<status>[0-9a-f]{8,16})/,
    more: [
      /\[Hardware Error\]: RIP (?<inexact>!INEXACT! )?(?<ip>[0-9a-f]+:<?[0-9a-fx]+>?)(?: \{(?<function>[^}]+)\})?/,
      /\[Hardware Error\]: TSC [0-9a-f]+ (?:ADDR (?<address>[0-9a-f]+) ?)?(?:MISC (?<misc>[0-9a-f]+) ?)?(?:SYND (?<syndrome>[0-9a-f]+) ?)?(?:IPID (?<ipid>[0-9a-f]+))?/,
      /\[Hardware Error\]: PROCESSOR (?<processor>\d+:[0-9a-f]+) TIME \d+ SOCKET (?<socket>\d+) APIC (?<apic>[0-9a-f]+)(?: microcode (?<microcode>[0-9a-f]+))?/,
      /\[Hardware Error\]: (?:This is not a software problem!|Run the above through)/,
      /\[Hardware Error\]: Machine check: (?<reason>.*)$/,
    ],
    refine: refineMachineCheck,
  },
  {
    event: 'kernel.hardware_error',
    severity: 'error',
    // The decoder of AMD: arch/x86 mce_amd.
    pattern:
      /\[Hardware Error\]: (?<what>(?:Corrected|Uncorrected|Deferred|System Fatal)[^.]*error[^.]*|MC\d+ Error:.*)/,
    more: [
      line(
        'CPU:(?<cpu>\\d+) \\((?<family>[0-9a-f:]+)\\) MC(?<bank>\\d+)_STATUS\\[(?<flags>[^\\]]*)\\]: (?<status>0x[0-9a-f]+)',
      ),
      line('(?:Error Addr|MC\\d+_ADDR): (?<address>0x[0-9a-f]+)'),
      line('(?:PPIN: 0x[0-9a-f]+)'),
      line('IPID: (?<ipid>0x[0-9a-f]+)(?:, Syndrome: (?<syndrome>0x[0-9a-f]+))?'),
      line(
        '(?<unit>[A-Z][\\w /-]+?)(?: Unit)? (?:Ext\\. Error Code|Extended Error Code): (?<code>\\d+)(?:, (?<reason>.*))?$',
      ),
      line('cache level: (?<cache>[^,]+)'),
      line('(?:Transaction|tx|TSC)[: ]'),
    ],
    refine: refineDecoded,
  },
  {
    event: 'kernel.hardware_error',
    severity: 'error',
    // Common Platform Error Records: Documentation of the kernel's drivers/firmware/efi/cper.c, UEFI appendix N.
    pattern: line('Hardware error from APEI Generic Hardware Error Source: (?<source>\\d+)'),
    more: [
      line('(?:event )?severity: (?<level>\\w+)'),
      line('It has been corrected by h/w and requires no further action'),
      line('fru_text: (?<fru>.*)$'),
      line('section_?type: (?<section>.*)$'),
      line('error_type: (?<code>\\d+)(?:, (?<type>.*))?$'),
      line('physical_address: (?<address>0x[0-9a-f]+)'),
      line('DIMM location: (?<dimm>.*)$'),
      line('node: ?(?<node>\\d+) (?<place>.*)$'),
      line('device_id: (?<hw>[0-9a-f:.]+)'),
      line('(?:aer_(?:un)?cor_status|aer_status): (?<aer_status>0x[0-9a-f]+)'),
      line('vendor_id: (?<vendor>0x[0-9a-f]+), device_id: (?<model>0x[0-9a-f]+)'),
      line('[ \\w]'),
    ],
    refine: refineApei,
  },
  {
    event: 'kernel.edac',
    severity: 'warning',
    pattern:
      /EDAC (?<hw>\w+): (?<errors>\d+) (?<type>CE|UE) (?<what>.*?) on (?<dimm>.*?) ?\((?:channel:(?<channel>\d+) )?(?:slot:(?<slot>\d+) )?(?:csrow:(?<csrow>\d+) )?(?:channel:\d+ )?.*?page:(?<page>0x[0-9a-f]+) offset:(?<offset>0x[0-9a-f]+)/,
    refine: refineEdac,
  },
  {
    event: 'kernel.edac',
    severity: 'warning',
    pattern: /EDAC (?<hw>\w+):? (?<errors>\d+) (?<type>CE|UE) (?<what>.*)$/,
    refine: refineEdac,
  },
  {
    event: 'kernel.edac',
    severity: 'warning',
    // Before 3.5, and drivers that still say it so.
    pattern: /EDAC (?<hw>MC\d+): (?<type>CE|UE) (?<what>page .*)$/,
    refine: refineEdac,
  },
  {
    event: 'kernel.memory_failure',
    severity: 'error',
    pattern: /Memory failure: (?<page>0x[0-9a-f]+): (?<what>.*)$/,
    more: [
      /MCE: Killing (?<process>[^:]+):(?<pid>\d+) due to hardware memory corruption(?: fault at (?<address>[0-9a-f]+))?/,
    ],
    refine: fields =>
      /Recovered|already poisoned|delayed/i.test(textOf(fields, 'what')) ? { severity: 'warning' } : {},
  },
  {
    event: 'kernel.memory_failure',
    severity: 'error',
    pattern:
      /(?:mce|MCE)(?: (?<page>0x[0-9a-f]+))?: Killing (?<process>[^:]+):(?<pid>\d+) due to hardware memory corruption(?: fault at (?<address>[0-9a-f]+))?/,
  },
  {
    event: 'kernel.memory_failure',
    severity: 'error',
    pattern: /mce: (?<what>Uncorrected hardware memory error in \S+ at (?<address>[0-9a-f]+))/,
  },
  {
    event: 'kernel.memory_failure',
    severity: 'warning',
    pattern: /(?:[Ss]oft[- ]offlin(?:ing|e):?|RAS: Soft-offlining) (?:pfn:? ?)?(?<page>0x[0-9a-f]+)(?<what>.*)$/,
  },
  {
    event: 'kernel.hardware_error',
    severity: 'critical',
    pattern:
      /(?<what>Uhhuh\. NMI received for unknown reason (?<reason>[0-9a-f]+)|NMI: (?:IOCK|PCI system|memory parity) error.*)/,
  },
  {
    event: 'kernel.hardware_error',
    severity: 'error',
    pattern: /\[Hardware Error\]:\s+(?<what>(?!Machine check events logged)\S.*)$/,
  },
]
