// Arrays and the device mapper: a member failed, the array runs degraded or not at all, it recovers.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const md = '(?<disk>md[\\w/-]*\\d\\w*)'

function refineDegraded(fields: Fields): Refined | undefined {
  const what = textOf(fields, 'what')
  const [, active, devices] = /active with (\d+) out of (\d+)/.exec(what) ?? []
  // An array that is whole says so whenever it is started.
  if (active !== undefined && active === devices) return undefined
  const dead = /not enough|too many|failed raid set|Cannot continue|not clean/i.test(what)
  return {
    severity: dead ? 'critical' : 'error',
    ...(active !== undefined && { fields: { active: Number(active), devices: Number(devices) } }),
  }
}

export const raid: readonly Rule[] = [
  {
    event: 'kernel.raid.failure',
    severity: 'error',
    pattern: new RegExp(
      `md/(?<level>raid\\w*|linear):${md}: (?<what>Disk failure on (?<member>[\\w-]+), disabling device\\..*)$`,
    ),
    more: [new RegExp(`md/raid\\w*:${md}: (?<consequence>Operation continuing on (?<remaining>\\d+) devices\\.)`)],
    last: /Operation continuing/,
  },
  {
    event: 'kernel.raid.failure',
    severity: 'error',
    pattern: new RegExp(
      `md/(?<level>raid\\w*|linear):${md}: (?<what>(?:not enough operational.*|too many .*|failed to run raid set.*|cannot start dirty degraded array.*|(?:raid level \\d+ )?active with \\d+ out of \\d+.*|read error not corrected.*|unrecoverable I/O.*|.*Disk failure.*|Cannot continue operation.*|\\w+: rescheduling sector.*|.*failing disk.*|bad block.*|.*exceeded read_error threshold.*|redirecting sector.*|.*write error.*))`,
    ),
    refine: refineDegraded,
  },
  {
    event: 'kernel.raid.recovery',
    severity: 'info',
    pattern: new RegExp(
      `md/(?<level>raid\\w*):${md}: (?<what>read error corrected \\((?<sectors>\\d+) sectors at (?<sector>\\d+) on (?<member>[\\w-]+)\\))`,
    ),
    refine: () => ({ severity: 'warning' }),
  },
  {
    event: 'kernel.raid.recovery',
    severity: 'info',
    pattern: /md: (?<operation>recovery|resync|reshape|check|data-check|requested-resync) of RAID array (?<disk>md\w+)/,
    refine: () => ({ fields: { state: 'started' } }),
  },
  {
    event: 'kernel.raid.recovery',
    severity: 'info',
    pattern: /md: (?<disk>md\w+): (?<operation>[\w-]+) (?<state>done|interrupted)\./,
    refine: fields => (fields.state === 'interrupted' ? { severity: 'warning' } : {}),
  },
  {
    event: 'kernel.raid.failure',
    severity: 'critical',
    pattern: new RegExp(
      `(?:md: )?${md}: (?<what>(?:Failed to|failed to|super_written gets error|array is not clean|kicking|no data disks|Cannot|raid array is not|pers->run\\(\\) failed|bitmap.*fail|personality for level).*)$`,
    ),
  },
  {
    event: 'kernel.raid.failure',
    severity: 'error',
    pattern:
      /md: (?<what>(?:super_written gets (?:error|uptodate)=?.*|kicking (?:non-fresh|faulty) (?<member>[\w-]+) from array.*|disabled device (?<member>[\w-]+), could not read superblock.*|could not open device.*|.*does not have a valid v\d.*superblock.*))$/,
  },
  {
    event: 'kernel.device_mapper.error',
    severity: 'error',
    pattern:
      /device-mapper: (?<target>[\w -]+?): (?:(?<disk>\d+:\d+|[\w-]+): )?(?<what>.*(?:[Ff]ail(?:ing|ed)? path|[Rr]einstating path|[Ff]ailed|[Ee]rror|switching pool to|out of (?:data|metadata)|no free (?:data|metadata)|reached low water mark|[Cc]orrupt|[Dd]evice failure|INTEGRITY AEAD ERROR|[Ii]nvalid|aborting current metadata transaction|read-only).*)$/,
    refine: fields =>
      /[Rr]einstating|low water|switching pool to write mode/.test(textOf(fields, 'what'))
        ? { severity: 'warning' }
        : {},
  },
]
