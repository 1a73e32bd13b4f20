// The arrays of the md driver, /proc/mdstat as md_seq_show of the kernel's drivers/md/md.c prints it:
//
//   md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]
//         195310144 blocks super 1.2 [2/1] [U_]
//         [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
//         bitmap: 0/30 pages [0KB], 65536KB chunk

export const syncActions = ['check', 'recovery', 'reshape', 'resync'] as const
export type SyncAction = (typeof syncActions)[number]

export interface MdArray {
  readonly name: string
  readonly active: boolean
  /** `raid1`, `linear`; undefined where it was never started. */
  readonly level: string | undefined
  readonly disks: readonly MdDisk[]
  /** Bytes; of an inactive one, of its members. */
  readonly size: number
  /** Metadata that others manage (IMSM, DDF): an inactive array of it is a container, and all is well. */
  readonly external: boolean
  /** How many disks it should have and how many of them have all the data; undefined without redundancy. */
  readonly slots: { readonly all: number; readonly inSync: number } | undefined
  readonly sync: MdSync | undefined
  /** Pages of memory that the write-intent bitmap takes, and could take. */
  readonly bitmap: { readonly used: number; readonly all: number } | undefined
}

export interface MdDisk {
  /** `sda1` */
  readonly name: string
  readonly state: 'member' | 'failed' | 'spare' | 'journal' | 'replacement'
}

export interface MdSync {
  readonly action: SyncAction
  /** Undefined while it waits for another array, or for somebody to write. */
  readonly running: { readonly done: number; readonly speed: number } | undefined
}

const file = '/proc/mdstat'

/** @throws Error where it is not whole: it ends with a line of its own. */
export function parseMdstat(bytes: Buffer): readonly MdArray[] {
  const lines = bytes.toString('latin1').split('\n')
  if (lines.pop() !== '') fail('whole lines', lines.at(-1))
  if (!lines.shift()?.startsWith('Personalities :')) fail('the line Personalities', bytes.toString('latin1', 0, 40))
  if (!lines.pop()?.startsWith('unused devices:')) fail('the line unused devices at the end', lines.at(-1))
  const arrays = blocksOf(lines).map(parseArray)
  const names = new Set(arrays.map(array => array.name))
  if (names.size < arrays.length) fail('each array once', arrays.map(array => array.name).join(' '))
  return arrays
}

/** An array begins where a line is not indented. Kernels before 2.6 have `read_ahead` too. */
function blocksOf(lines: readonly string[]): readonly (readonly string[])[] {
  const blocks: string[][] = []
  for (const line of lines) {
    if (line.trim() === '' || line.startsWith('read_ahead ')) continue
    const last = blocks.at(-1)
    if (last !== undefined && /^\s/.test(line)) last.push(line)
    else blocks.push([line])
  }
  return blocks
}

const shape = /^(\S+) : (active|inactive|broken)((?: \([a-z-]+\))*)((?: \S+)*?) *$/

function parseArray([head = '', second = '', ...rest]: readonly string[]): MdArray {
  const found = shape.exec(head)
  const size = /^\s+(\d+) blocks(?: |$)/.exec(second)?.[1]
  if (found === null) return fail('an array', head)
  if (size === undefined) return fail('its blocks', second)
  const [, name, state, , words] = found as unknown as [string, string, string, string, string]
  const active = state === 'active'
  const members = words.split(' ').filter(word => word !== '')
  const level = members[0]?.includes('[') === false ? members.shift() : undefined
  return {
    name,
    active,
    level,
    disks: members.map(parseDisk),
    size: count(size) * kibi,
    external: / super external:/.test(second),
    slots: active ? parseSlots(second) : undefined,
    sync: rest.map(parseSync).find(sync => sync !== undefined),
    bitmap: rest.map(parseBitmap).find(bitmap => bitmap !== undefined),
  }
}

const kibi = 1024

const marks = { F: 'failed', S: 'spare', J: 'journal', R: 'replacement' } as const

/** `sdb2[2](W)(F)`: of several marks a failure is what counts. */
function parseDisk(word: string): MdDisk {
  const [, name, flags] = /^([^\s[\]]+)\[\d+\]((?:\([A-Z]\))*)$/.exec(word) ?? []
  if (name === undefined || flags === undefined) return fail('a disk', word)
  const mark = (Object.keys(marks) as (keyof typeof marks)[]).find(m => flags.includes(m))
  return { name, state: mark === undefined ? 'member' : marks[mark] }
}

/** `[4/3] [U_UU]` */
function parseSlots(line: string): MdArray['slots'] {
  const [, all, inSync, map] = /\[(\d+)\/(\d+)\] \[([U_]*)\]/.exec(line) ?? []
  if (all === undefined || inSync === undefined || map === undefined) return undefined
  if (count(inSync) > count(all)) fail('no more disks in sync than there are', line)
  return { all: count(all), inSync: count(inSync) }
}

/** Running, or `resync=DELAYED`, `PENDING` and `REMOTE`. */
function parseSync(line: string): MdSync | undefined {
  const [, action, tail] = /^\s+(?:\[[=>.]*\]\s+)?(check|recovery|reshape|resync)\s*=\s*(.*)$/.exec(line) ?? []
  if (action === undefined || tail === undefined) return undefined
  if (/^(DELAYED|PENDING|REMOTE)\s*$/.test(tail)) return { action: action as SyncAction, running: undefined }
  const [, done, all, speed] = /^[\d.]+% \((\d+)\/(\d+)\) finish=[\d.]+min speed=(\d+)K\/sec\s*$/.exec(tail) ?? []
  if (done === undefined || all === undefined || speed === undefined) return fail('how far it is', line)
  if (count(all) === 0 || count(done) > count(all)) fail('a part of the whole', line)
  const running = { done: count(done) / count(all), speed: count(speed) * kibi }
  return { action: action as SyncAction, running }
}

function parseBitmap(line: string): MdArray['bitmap'] {
  if (!/^\s+bitmap: /.test(line)) return undefined
  const [, used, all] = /^\s+bitmap: (\d+)\/(\d+) pages /.exec(line) ?? []
  // A bitmap kept by a cluster or of another kind (llbitmap) prints other words.
  return used === undefined || all === undefined ? undefined : { used: count(used), all: count(all) }
}

function count(digits: string): number {
  const value = Number(digits)
  return Number.isSafeInteger(value) ? value : fail('a number that can be', digits)
}

function fail(expected: string, got = 'the end'): never {
  throw new Error(`${file}: expected ${expected}, got ${JSON.stringify(got.slice(0, 80))}`)
}
