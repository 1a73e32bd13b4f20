// The statistics of the Solaris porting layer, /proc/spl/kstat: a line of numbers, a line of headings, then what there is.

/** What has the top bit set went below zero in a fault of the kernel. */
const negative = 2 ** 63

/** Of a table of names: `hits 4 8772612`, where 4 is an unsigned number of 64 bits, and 7 a text. */
export function parseNamed(file: string, bytes: Buffer): ReadonlyMap<string, string> {
  const [, ...lines] = linesOf(file, bytes, /^name +type +data *$/)
  const values = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^(\w+) +\d +(\S.*?) *$/.exec(line) ?? []
    if (name === undefined || value === undefined) return fail(file, 'a name, a type and a value', line)
    values.set(name, value)
  }
  return values
}

/** Of one row of numbers below their headings: `nread nwritten reads writes ...`, as ZFS before 2.0 has of a pool's I/O. */
export function parseRow(file: string, bytes: Buffer): ReadonlyMap<string, string> {
  const [headings = '', row = '', ...more] = linesOf(file, bytes, /^[a-z ]+$/)
  const names = headings.trim().split(/ +/)
  const values = row.trim().split(/ +/)
  if (names.length !== values.length || more.length > 0) return fail(file, 'one row below its headings', row)
  return new Map(names.map((name, n) => [name, values[n]!]))
}

/** @throws Error where it is no whole number; undefined where it is not told or cannot be. */
export function numberOf(file: string, values: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = values.get(name)
  if (text === undefined) return undefined
  if (!/^\d{1,20}$/.test(text)) return fail(file, `a number for ${name}`, text)
  const value = Number(text)
  return value < negative ? value : undefined
}

/** `ONLINE\n` */
export function parseState(file: string, bytes: Buffer): string {
  const state = /^([A-Z]{4,20})\n$/.exec(bytes.toString('latin1'))?.[1]
  return state?.toLowerCase() ?? fail(file, 'a state such as ONLINE', bytes.toString('latin1', 0, 40))
}

/** Without the first line, `13 1 0x01 91 4368 5266997922 97951858082072`: kind, flags, count, bytes, times. */
function linesOf(file: string, bytes: Buffer, headings: RegExp): readonly string[] {
  const [first = '', ...lines] = bytes.toString('utf8').split('\n')
  if (lines.pop() !== '') return fail(file, 'whole lines', lines.at(-1) ?? first)
  if (!/^\d+ \d+ 0x[0-9a-f]+ \d+ \d+ \d+ \d+$/.test(first)) return fail(file, 'seven numbers', first)
  return headings.test(lines[0] ?? '') ? lines : fail(file, 'headings', lines[0])
}

function fail(file: string, expected: string, got = 'the end'): never {
  throw new Error(`${file}: expected ${expected}, got ${JSON.stringify(got.slice(0, 80))}`)
}
