// Files of sysfs with one value each, and folders numbered as their devices were found.

/** `-12500\n` and nothing else. `file` is the name used in errors. */
export function parseNumber(file: string, bytes: Buffer): number {
  let at = bytes[0] === minus ? 1 : 0
  const start = at
  let value = 0
  for (let byte = bytes[at]; byte !== undefined && byte >= zero && byte <= nine; byte = bytes[++at]) {
    value = value * 10 + (byte - zero)
  }
  if (at === start || value >= 2 ** 63 || bytes[at] !== newline || at + 1 !== bytes.length) {
    throw new Error(`${file}: expected a whole number, got ${JSON.stringify(bytes.toString('utf8', 0, 24))}`)
  }
  return start === 1 ? -value : value
}

/** `Core 0\n`: one line of text. */
export function parseText(file: string, bytes: Buffer): string {
  const text = /^(\P{C}{1,127})\n$/u.exec(bytes.toString('utf8'))?.[1]?.trim()
  if (text) return text
  throw new Error(`${file}: expected one line of text, got ${JSON.stringify(bytes.toString('utf8', 0, 24))}`)
}

/** hwmon2 before hwmon10. */
export function inOrder(names: readonly string[]): readonly string[] {
  const number = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? -1)
  return names.toSorted((a, b) => number(a) - number(b))
}

const [minus, newline, zero, nine] = [0x2d, 0x0a, 0x30, 0x39]
