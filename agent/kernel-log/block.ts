// Disks whatever they are: requests that failed, what SCSI says of it, aborts, resets and controllers.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const scsi = '(?:sd|sr|st|ses|scsi|sg) (?<hw>\\d+:\\d+:\\d+:\\d+)'
const named = `${scsi}:(?: \\[(?<disk>\\w+)\\])?`

/** Sense keys of SPC-5 table 45 that tell of a disk rather than of a request. */
function refineSense(fields: Fields): Refined | undefined {
  const key = textOf(fields, 'sense_key')
  if (/^(Recovered Error|Unit Attention|No Sense)/.test(key)) return { severity: 'info' }
  if (/^(Medium Error|Hardware Error|Data Protect)/.test(key)) return { severity: 'error' }
  // A failed command for which neither disk nor transport gave a reason is told by the I/O error that follows.
  return key === '' && /hostbyte=DID_OK\b/.test(textOf(fields, 'result')) ? undefined : {}
}

const cdb = new RegExp(`${named}.*? CDB: (?<command>[\\w() ]+?)(?: [0-9a-f]{2}\\b|$)`)

export const block: readonly Rule[] = [
  {
    event: 'kernel.block.io_error',
    severity: 'error',
    pattern:
      /(?:^|[:\]] )(?<kind>[\w/ ]{1,40}?) error, dev (?<disk>[\w!/-]+), sector (?<sector>\d+)(?: op (?<op>0x[0-9a-f]+):\((?<operation>\w+)\))?(?: flags (?<flags>0x[0-9a-f]+))?/,
    refine: fields => (/^operation not supported/.test(textOf(fields, 'kind')) ? { severity: 'info' } : {}),
  },
  {
    event: 'kernel.block.io_error',
    severity: 'error',
    pattern:
      /(?:Buffer I\/O error on (?:dev(?:ice)?) (?<disk>[^\s,]+), logical block (?<block>\d+)(?:, (?<what>.*))?|lost (?:async |sync )?page write due to I\/O error on (?:dev )?(?<disk>[^\s,]+))$/,
  },
  {
    event: 'kernel.block.io_error',
    severity: 'error',
    pattern:
      /(?<disk>(?:zram|nbd|rbd|loop|drbd)\d+|x?vd[a-z]+\d*): (?<what>.*(?:[Ww]rite error|[Rr]ead error|I\/O error|Connection timed out|Receive control failed|Shutting down sockets|result -\d+|Error allocating|local (?:READ|WRITE) IO error|Disk failed).*)$/,
  },
  {
    event: 'kernel.block.offline',
    severity: 'critical',
    pattern: new RegExp(
      `${named} (?<what>(?:Device offlined.*|rejecting I/O to (?:offline|dead) device|Synchronize Cache.* failed.*|Device became unresponsive.*|killing request.*))$`,
    ),
  },
  {
    event: 'kernel.block.offline',
    severity: 'critical',
    pattern:
      /(?<disk>(?:sd[a-z]+|nvme\d+(?:c\d+)?n\d+|vd[a-z]+)\d*): (?<what>detected capacity change from \d+ to 0)\b/,
  },
  {
    event: 'kernel.scsi.sense',
    severity: 'warning',
    pattern: new RegExp(
      `${named} (?:tag#\\d+ |Unhandled )?(?:UNKNOWN\\(0x\\w+\\) |FAILED )?Result: (?<result>hostbyte=\\S+ driverbyte=\\S+)`,
    ),
    more: [
      new RegExp(`${named}.*Sense Key : (?<sense_key>[\\w ()]+?)(?: \\[(?<sense>[^\\]]*)\\])?(?: \\[[^\\]]*\\])*\\s*$`),
      new RegExp(`${named}.*Add\\. Sense: (?<additional>.*)$`),
      new RegExp(`${named}.*<<vendor>>ASC=(?<asc>\\S+) ASCQ=(?<ascq>\\S+)`),
      cdb,
    ],
    last: cdb,
    refine: refineSense,
  },
  {
    event: 'kernel.scsi.sense',
    severity: 'warning',
    pattern: new RegExp(
      `${named}.*Sense Key : (?<sense_key>[\\w ()]+?)(?: \\[(?<sense>[^\\]]*)\\])?(?: \\[[^\\]]*\\])*\\s*$`,
    ),
    more: [new RegExp(`${named}.*Add\\. Sense: (?<additional>.*)$`), cdb],
    last: cdb,
    refine: refineSense,
  },
  {
    event: 'kernel.scsi.reset',
    severity: 'warning',
    pattern: new RegExp(
      `${named} (?:tag#\\d+ )?(?<what>(?:.*(?:task abort|[Aa]bort(?:ing|ed)? (?:command|task|request)|attempting (?:task|device|target|host) (?:abort|reset)|[Dd]evice reset|[Tt]arget reset|[Bb]us reset|timing out command|[Pp]ower-on or device reset occurred|uas_eh_\\w+).*))$`,
    ),
    refine: fields => (/[Pp]ower-on or device reset/.test(textOf(fields, 'what')) ? { severity: 'info' } : {}),
  },
  {
    event: 'kernel.scsi.reset',
    severity: 'warning',
    pattern:
      /(?:scsi|sd)(?: host)? ?(?<hw>\d+(?::\d+:\d+(?::\d+)?)?)?: (?<what>(?:(?:uas|attempting|[Rr]esetting|Adapter|BUS|HOST|TARGET|LUN|task|target|host|bus|device).*(?:reset|abort|RESET|ABORT).*))$/,
  },
  {
    event: 'kernel.scsi.controller',
    severity: 'critical',
    pattern:
      /(?<hw>mpt[23]sas_cm\d+|mpt3sas\w*|ioc\d+|mpi3mr\d+): (?<what>.*(?:fault|FAULT|fault_state|diag reset|hard reset|non-operational|SAS host is non-operational|Blocked|timeout|log_info\(0x[0-9a-f]+\)|issue port disable|reset).*)$/,
    refine: fields => (/log_info|port enable|SUCCESS/.test(textOf(fields, 'what')) ? { severity: 'warning' } : {}),
  },
  {
    event: 'kernel.scsi.controller',
    severity: 'error',
    pattern:
      /(?<driver>megaraid_sas|hpsa|aacraid|smartpqi|arcmsr|3w-9xxx|3w-sas|mvsas|pm80xx|qla2xxx|lpfc|bfa|fnic|isci|be2iscsi|bnx2fc|zfcp)\b:? (?:\[?(?<hw>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\]?:? ?)?(?<what>.*(?:[Ff]ault|[Aa]bort|DEGRADED|[Dd]egraded|FAULT|[Rr]eset|RESET|[Tt]imed? ?out|lockup|[Oo]ffline|[Ff]ailed|[Ff]atal|FATAL|not respond|LOOP DOWN|[Ll]ink [Dd]own|dead).*)$/,
  },
  {
    event: 'kernel.mmc.error',
    severity: 'error',
    pattern:
      /(?<hw>mmc(?:blk)?\d+\w*): (?<what>.*(?:error|timeout|[Tt]imeout waiting|recovery failed|cannot be (?:suspended|resumed)|tuning.*fail|[Ff]ailed|removed).*)$/,
    refine: fields => (/removed/.test(textOf(fields, 'what')) ? { severity: 'warning' } : {}),
  },
]
