// What a parser of a kernel's file must bear: random bytes, and recordings that are cut, mixed up or overwritten in
// places. It answers, or it throws an Error that names the file; what it answers is finite and not below zero.

import type { Test } from 'tap'
import { type Random, seeded } from '../random.ts'

const attempts = 2000

export function bearsDamage(
  t: Test,
  name: string,
  recordings: readonly Buffer[],
  parse: (bytes: Buffer) => unknown,
): void {
  t.test(`${name}: what is damaged is refused with its name, or read as it stands there`, async t => {
    const random = seeded(t)
    const wrong: string[] = []
    for (let n = 0; n < attempts && wrong.length < 5; n++) {
      const bytes = damaged(random, random.pick(recordings))
      const trouble = verdict(name, () => parse(bytes))
      if (trouble !== undefined) wrong.push(`${trouble}: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`)
    }
    t.strictSame(wrong, [])
  })
}

function verdict(name: string, parse: () => unknown): string | undefined {
  try {
    return numbersIn(parse()).every(value => Number.isFinite(value) && value >= 0) ? undefined : 'an impossible number'
  } catch (error) {
    return error instanceof Error && error.message.startsWith(name) ? undefined : `does not name the file: ${error}`
  }
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : []
}

/** Random bytes, or the recording cut, mixed up, shortened or overwritten in places. */
export function damaged(random: Random, whole: Buffer): Buffer {
  const bytes = Buffer.from(whole)
  const at = random.below(bytes.length + 1)
  switch (random.below(5)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)])
    case 2:
      return Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)))
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + random.below(20)))])
    default:
      for (let n = random.below(8); n >= 0; n--) bytes[random.below(bytes.length)] = random.pick(tellingBytes(random))
      return bytes
  }
}

/** Blanks, line ends, digits and signs mislead a parser more than others do. */
function tellingBytes(random: Random): readonly number[] {
  return [...Buffer.from(' \n\t-.:=09%'), 0, 255, random.below(256)]
}
