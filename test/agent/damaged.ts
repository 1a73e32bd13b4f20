// What happens to recordings on a bad day: parsers get them cut, altered and made up, and must answer or say no.

import type { Random } from '../random.ts'

/** One of: random bytes, a beginning, or a few bytes changed, removed or doubled. */
export function damaged(random: Random, whole: Buffer): Buffer {
  if (random.below(10) === 0) return Buffer.from(Array.from({ length: random.below(400) }, () => random.below(256)))
  if (random.below(3) === 0) return whole.subarray(0, random.below(whole.length + 1))
  const bytes = [...whole]
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(bytes.length)
    const what = random.below(3)
    if (what === 0) bytes[at] = random.pick([0x0a, 0x20, 0x2d, 0x30, 0x39, 0x3a, 0x66, random.below(256)])
    else if (what === 1) bytes.splice(at, 1 + random.below(20))
    else bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(20)))
  }
  return Buffer.from(bytes)
}
