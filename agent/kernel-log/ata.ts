// libata: a failed command and the link it went over. The words are decoded by the kernel itself, libata-eh.c.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const port = '(?<hw>ata\\d+(?:\\.\\d+)?)'
const of = (what: string): RegExp => new RegExp(`^${port}: ${what}`)

function refineException(fields: Fields): Refined {
  const { error, link_error } = { error: textOf(fields, 'error'), link_error: textOf(fields, 'link_error') }
  return {
    severity: /UNC|IDNF|AMNF/.test(error) || /media|internal/i.test(textOf(fields, 'cause')) ? 'error' : 'warning',
    fields: {
      medium_error: /UNC|IDNF|AMNF/.test(error),
      interface_error: /ICRC/.test(error) || /BadCRC|Handshk|10B8B|Dispar/.test(link_error),
    },
  }
}

export const ata: readonly Rule[] = [
  {
    event: 'kernel.ata.exception',
    severity: 'error',
    pattern: of(
      '(?:limiting|exception) Emask (?<emask>0x[0-9a-f]+) SAct (?<sact>0x[0-9a-f]+) SErr (?<serr>0x[0-9a-f]+) action (?<action>0x[0-9a-f]+)(?<state> frozen)?',
    ),
    more: [
      of('irq_stat (?<irq_stat>0x[0-9a-f]+)(?:, (?<irq>.*))?$'),
      of('SError: \\{ (?<link_error>[^}]*?) ?\\}'),
      of('(?:edma_err_cause|BMDMA stat|host bus error|interface fatal)'),
      of('failed command: (?<command>.*)$'),
      of('cmd (?<taskfile>[0-9a-f/:]+) tag (?<tag>\\d+) ?(?<protocol>.*)$'),
      // The result goes on in the next line where the driver breaks it.
      /^\s*res (?<result>[0-9a-f/:]+) Emask (?<result_emask>0x[0-9a-f]+) \((?<cause>[^)]*)\)/,
      of('status: \\{ (?<status>[^}]*?) ?\\}'),
      of('error: \\{ (?<error>[^}]*?) ?\\}'),
    ],
    refine: refineException,
  },
  {
    event: 'kernel.ata.disabled',
    severity: 'critical',
    pattern: of(
      '(?<what>(?:disabled|disable device|disabling device|reset failed, giving up|failed to IDENTIFY.*|revalidation failed.*|limiting speed to PIO.*|detaching \\(SCSI.*))',
    ),
    refine: fields => (/limiting|IDENTIFY|revalidation/.test(textOf(fields, 'what')) ? { severity: 'error' } : {}),
  },
  {
    event: 'kernel.ata.link',
    severity: 'warning',
    pattern: of(
      '(?<what>(?:hard|soft) resetting (?:link|port)|limiting S?ATA link speed to (?<speed>[\\d.]+ Gbps)|limiting speed to \\S+|link is slow to respond.*|COMRESET failed.*|softreset failed.*|hardreset failed.*|SRST failed.*|NCQ disabled due to excessive errors|exception.*)$',
    ),
    more: [of('SATA link (?<state>up|down)(?: (?<speed>[\\d.]+ Gbps))?'), of('EH complete')],
    last: of('EH complete'),
    refine: fields => (textOf(fields, 'state') === 'down' ? { severity: 'error' } : {}),
  },
  {
    event: 'kernel.ata.link',
    severity: 'warning',
    // While booting every empty port says it is down: after that only a reset comes before it.
    pattern: of('(?<what>SATA link down) \\(SStatus (?!0 )'),
  },
]
