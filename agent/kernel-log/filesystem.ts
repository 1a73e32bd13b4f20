// File systems: damage, failed writes, remounted read-only, shut down; and servers of network file systems.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const types =
  '(?<filesystem>EXT[234]-fs|XFS|BTRFS|F2FS-fs|JBD2|NTFS(?:-fs|3)?|ntfs3|FAT-fs|exFAT-fs|UBIFS|UDF-fs|SQUASHFS|EROFS|erofs|GFS2|OCFS2|bcachefs|NILFS2?|REISERFS|ReiserFS|JFS|ISOFS|isofs|overlayfs|ZFS|HFS\\+?|hfsplus)'
const [error, readonly] = ['kernel.filesystem.error', 'kernel.filesystem.readonly'] as const

function refineXfs(fields: Fields): Refined {
  return /[Cc]orruption|[Ss]hut|[Uu]nmount (?:and run xfs_repair|the filesystem)/.test(textOf(fields, 'what'))
    ? { severity: 'critical' }
    : {}
}

export const filesystem: readonly Rule[] = [
  {
    event: readonly,
    severity: 'critical',
    pattern: new RegExp(
      `${types}:?(?: (?:info|error|warning|critical))? \\((?:device )?(?<disk>[\\w!-]+)[^)]*\\)(?: in [^:]*)?: (?<what>.*(?:[Rr]emount(?:ing|ed)? (?:filesystem |fs )?(?:as )?read-?only|forced readonly|[Ss]witching to read-?only|going (?:emergency )?read-?only|read-only mode).*)$`,
    ),
  },
  {
    event: readonly,
    severity: 'critical',
    pattern:
      /(?<filesystem>XFS) \((?<disk>[^)]+)\): (?<what>(?:.*Filesystem has been shut down.*|.*Shutting down filesystem.*|.*User initiated shutdown.*|.*log I\/O error.*shut.*|xfs_do_force_shutdown.*))$/,
  },
  {
    event: readonly,
    severity: 'critical',
    pattern: /(?<what>Aborting journal on device (?<disk>[^\s]+?)(?:-\d+)?\.)/,
    refine: () => ({ fields: { filesystem: 'JBD2' } }),
  },
  {
    event: error,
    severity: 'error',
    pattern:
      /(?<filesystem>EXT[234]-fs)(?: (?<level>error|warning))? \(device (?<disk>[^)]+)\)(?: in)?:? ?(?<function>\w+)(?::(?<line>\d+))?: (?:inode #(?<inode>\d+): )?(?:block (?<block>\d+): )?(?:comm (?<process>[^:]+): )?(?<what>.*)$/,
    refine: fields => (textOf(fields, 'level') === 'warning' ? { severity: 'warning' } : {}),
  },
  {
    event: error,
    severity: 'error',
    pattern:
      /(?<filesystem>EXT[234]-fs) \((?<disk>[^)]+)\): (?<what>(?!(?:re-)?mounted|unmounting|VFS: Can't find|INFO).*(?:error|corrupt|[Dd]elayed block allocation failed|fail|[Cc]hecksum|I\/O|error count since last fsck|initial error at|last error at|[Uu]nable|can't|Inode \d+|This should not happen).*)$/,
    refine: fields =>
      /error count|(?:initial|last) error/.test(textOf(fields, 'what')) ? { severity: 'warning' } : {},
  },
  {
    event: error,
    severity: 'error',
    pattern:
      /(?<filesystem>XFS) \((?<disk>[^)]+)\): (?<what>.*(?:[Cc]orruption|[Mm]etadata (?:I\/O|CRC) error|[Ii]nternal error|I\/O error|[Uu]nmount (?:and run|the filesystem)|failed|error -?\d+|possible memory allocation deadlock|writeback error).*)$/,
    refine: refineXfs,
  },
  {
    event: error,
    severity: 'error',
    pattern:
      /BTRFS:? (?<level>error|critical|warning|crit|alert|emerg)?(?: |:)? ?\((?:device )?(?<disk>[^):]+?)(?: state \w+)?\):? ?(?:in (?<function>\w+):(?<line>\d+): )?(?<what>.*)$/,
    refine: refineBtrfs,
  },
  {
    event: error,
    severity: 'error',
    pattern: /BTRFS: (?<level>error)? ?\(device (?<disk>[^)]+)\) in (?<function>\w+):(?<line>\d+): (?<what>.*)$/,
    refine: refineBtrfs,
  },
  {
    event: error,
    severity: 'error',
    pattern:
      /(?<filesystem>JBD2): (?<what>(?:.*(?:[Ee]rror|I\/O|corrupt|[Ff]ailed|recovery failed|Detected IO errors).*?(?:\bon\b|for|device) (?<disk>[\w-]+?)(?:-\d+)?\.?|.*I\/O error.*))$/,
  },
  {
    event: error,
    severity: 'error',
    pattern: new RegExp(
      `${types}:?(?: (?:error|warning|\\(error\\)))? ?\\(?(?:device |ino \\S+ )?(?<disk>[\\w!-]+)?\\)?(?: \\(ino \\d+\\))?: (?<what>(?!(?:re-)?[Mm]ount).*(?:[Ee]rror|[Cc]orrupt|[Ff]ail|[Ii]nconsisten|invalid|not properly unmounted|unclean|volume is dirty|panic|withdraw).*)$`,
    ),
    refine: fields =>
      /not properly unmounted|unclean|dirty/.test(textOf(fields, 'what')) ? { severity: 'warning' } : {},
  },
  {
    event: 'kernel.network_filesystem',
    severity: 'error',
    pattern:
      /(?:(?<filesystem>nfs|lockd|rpc\.\w+|RPC)): (?:server )?(?<server>\S+?)(?::| ) ?(?<state>not responding, (?:still trying|timed out)|OK|timed out)/,
    refine: refineServer,
  },
  {
    event: 'kernel.network_filesystem',
    severity: 'error',
    pattern:
      /(?<filesystem>CIFS|ceph|libceph|LustreError|Lustre|beegfs|glusterfs|9pnet|AFS|afs): (?<what>.*(?:has not responded in \d+ seconds.*|[Ee]rror|failed|hunting for new mon|session (?:lost|established|stale|blocklisted)|(?:osd|mon|mds)\d+.*(?:down|up|weight|lost|socket (?:closed|error)|hung|caps (?:stale|went stale)|reconnect|recovery)|[Cc]onnection (?:to|lost|restored).*|[Ss]ervice.*(?:lost|restored)|evicted).*)$/,
    refine: fields =>
      /established|restored|\bup\b|recover/.test(textOf(fields, 'what'))
        ? { severity: 'info', fields: { state: 'responding' } }
        : {},
  },
]

/** Information of btrfs has no word before the device. */
function refineBtrfs(fields: Fields): Refined | undefined {
  const { level, what } = { level: textOf(fields, 'level'), what: textOf(fields, 'what') }
  const errors = /errs: wr (\d+), rd (\d+), flush (\d+), corrupt (\d+), gen (\d+)/.exec(what)
  const counts = errors && {
    write_errors: Number(errors[1]),
    read_errors: Number(errors[2]),
    flush_errors: Number(errors[3]),
    corruption_errors: Number(errors[4]),
    generation_errors: Number(errors[5]),
  }
  if (level === '' && !/error|corrupt|fail|csum|errs:/i.test(what)) return undefined
  const severity = /crit|alert|emerg/.test(level) ? 'critical' : level === 'warning' ? 'warning' : 'error'
  return { severity, fields: { filesystem: 'BTRFS', ...counts } }
}

function refineServer(fields: Fields): Refined {
  const ok = textOf(fields, 'state') === 'OK'
  return { severity: ok ? 'info' : 'error', fields: { state: ok ? 'responding' : 'not responding' } }
}
