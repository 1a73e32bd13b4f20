// NVMe: commands that time out, controllers that are reset, fail or vanish. By drivers/nvme/host, PCI and fabrics.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const who = 'nvme (?<hw>nvme\\d+|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])'
const of = (what: string): RegExp => new RegExp(`${who}: ${what}`)

function refineTimeout(fields: Fields): Refined {
  return { severity: /reset|disable/.test(textOf(fields, 'consequence')) ? 'error' : 'warning' }
}

export const nvme: readonly Rule[] = [
  {
    event: 'kernel.nvme.timeout',
    severity: 'warning',
    pattern: of(
      'I/O (?:tag )?(?<tag>\\d+) (?:\\((?<id>\\w+)\\) )?(?:opcode 0x(?<opcode>\\w+) )?(?:\\((?<command>[^)]+)\\) )?QID (?<queue>\\d+) (?:timeout|.*?timeout),? ?(?<consequence>.*)$',
    ),
    refine: refineTimeout,
  },
  {
    event: 'kernel.nvme.timeout',
    severity: 'warning',
    pattern: of(
      '(?:queue (?<queue>\\d+): )?timeout (?:request )?(?:cid )?(?<id>0x\\w+|\\d+)?(?:.*type (?<type>\\d+))?(?<consequence>.*)$',
    ),
  },
  {
    event: 'kernel.nvme.timeout',
    severity: 'warning',
    pattern: of('(?<what>Abort status: 0x\\w+|completing aborted command.*|I/O \\d+ QID \\d+.*)$'),
  },
  {
    event: 'kernel.nvme.failed',
    severity: 'critical',
    pattern: of(
      '(?<what>(?:Removing after probe failure.*|Device not ready; aborting.*|Disabling device after reset failure.*|controller is down; will reset: (?<csts>CSTS=\\S+), PCI_STATUS.*read failed.*|Identify Controller failed.*|failed to mark controller.*|Device shutdown incomplete.*|frozen state error detected.*|Failed to (?:configure|connect|get|set|reset).*|Removing ctrl.*|Reconnect.*failed.*|ANATT timeout.*|.*fatal.*|Could not set queue count.*|invalid id 0x?\\w* completed.*|globally duplicate IDs.*|identifiers changed.*))$',
    ),
    refine: fields =>
      /Removing ctrl: NQN|globally|Could not set|invalid id/.test(textOf(fields, 'what'))
        ? { severity: 'warning' }
        : {},
  },
  {
    event: 'kernel.nvme.reset',
    severity: 'error',
    pattern: of(
      '(?<what>(?:controller is down; will reset: (?<csts>CSTS=\\S+?),? .*|(?:resetting|reset) controller.*|restart after slot reset|Resetting.*|starting error recovery|Reconnecting in.*|Successfully reconnected.*|Shutdown timeout(?! set).*|queue size \\d+.*|creating \\d+ I/O queues.*|.*[Ee]rror recovery.*|keep-alive timeout.*|failed nvme_keep_alive.*))$',
    ),
    refine: refineReset,
  },
  {
    event: 'kernel.nvme.failed',
    severity: 'critical',
    pattern:
      /(?<hw>nvme\d+)(?:n\d+)?: (?<what>(?:failed to find namespace.*|rescanning namespaces.*removed|Dropping device.*|no usable path.*|no available path - failing I\/O))/,
  },
  {
    event: 'kernel.block.io_error',
    severity: 'error',
    // `nvme0n1: Read(0x2) @ LBA 48, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR`
    pattern:
      /(?<disk>nvme\d+(?:c\d+)?n\d+): (?<operation>[\w ]+)\(0x(?<opcode>\w+)\) @ LBA (?<sector>\d+), (?<blocks>\d+) blocks, (?<what>.*?) \(sct 0x(?<sct>\w+) \/ sc 0x(?<sc>\w+)\)/,
  },
]

/** Of what a controller says of its queues only the connection's own news count. */
function refineReset(fields: Fields): Refined | undefined {
  const what = textOf(fields, 'what')
  if (/^(queue size|creating)/.test(what)) return undefined
  return /^Successfully/.test(what) ? { severity: 'info' } : {}
}
