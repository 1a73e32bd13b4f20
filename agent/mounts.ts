// The mount table, /proc/<pid>/mountinfo, proc_pid_mountinfo(5).

export interface Mount {
  /** `major:minor` of the file system's device; major 0 where it has none. */
  readonly device: string
  /** The folder of the file system that is mounted; `/` but for bind mounts. */
  readonly root: string
  readonly point: string
  readonly type: string
  /** What is mounted, e.g. `/dev/sda1`. */
  readonly source: string
  /** The file system itself, not one view of it: hardening shows a service everything as read-only. */
  readonly readOnly: boolean
}

/** What is visible: of mounts over one another the last. `file` is the name used in errors. */
export function parseMounts(file: string, bytes: Buffer): readonly Mount[] {
  const lines = bytes.toString('utf8').split('\n')
  if (lines.pop() !== '' || lines.length === 0) throw new Error(`${file}: expected whole lines, at least one`)
  const mounts = lines.map(line => parseLine(file, line))
  return [...new Map(mounts.map(mount => [mount.point, mount])).values()]
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
const shape = /^\d+ \d+ (\d+:\d+) ([^ ]+) +([^ ]+) [^ ]+(?: [^ ]+)*? - ([^ ]+) ([^ ]*) ([^ ]*)$/

function parseLine(file: string, line: string): Mount {
  const found = shape.exec(line)
  if (found === null) throw new Error(`${file}: expected a mount, got ${JSON.stringify(line.slice(0, 80))}`)
  const [device, root, point, type, source, options] = found.slice(1).map(plain) as Groups
  return { device, root, point, type, source, readOnly: /^ro(,|$)/.test(options) }
}

type Groups = [string, string, string, string, string, string]

/** Space, tab, newline and backslash stand as `\040` and so on. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
