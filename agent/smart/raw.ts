// What the 48 bits of a raw value stand for. smartctl knows from its drive database how a drive packs them and prints
// accordingly (ata_format_attr_raw_value in its atacmds.cpp); the text is read back here:
//
//   "312"                    one number
//   "30 (Min/Max 19/41)"     the first; minimum and maximum are packed above it; also "393 (Average 391)", "5 (0 12)"
//   "0/1162"                 the first: errors of so many operations
//   "2 2 5"                  three numbers of 16 bits, printed from the highest; the lowest is the count (command timeouts
//                            of Seagate: all, above 5 s, above 7.5 s)
//   "47060h+35m+00.858s"     hours, with their fraction
//   "0x000100000002"         not known what it stands for
//
// Where the database says nothing of a disk of Seagate, some are packed all the same, so that a healthy disk shows a huge
// number: rates of errors (1, 7, 195) have 16 bits of errors above 32 bits of operations, command timeouts (188) are the
// three numbers above.

const packedRates: ReadonlySet<number> = new Set([1, 7, 195])
const packedTimeouts = 188

/** Undefined where nobody knows what it stands for. */
export function unpack(id: number, text: string, raw: number, seagateDisk: boolean): number | undefined {
  if (text === String(raw)) return seagateDisk ? unpackSeagate(id, raw) : raw
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  const hours = /^(\d+)h(?:\+(\d+)m)?(?:\+(\d+(?:\.\d+)?)s)?(?: \(.*\))?$/.exec(text)
  if (hours !== null) return Number(hours[1]) + Number(hours[2] ?? 0) / 60 + Number(hours[3] ?? 0) / 3600
  const words = /^\d+ \d+ (\d+)$/.exec(text)
  if (words !== null) return Number(words[1])
  const first = /^(-?\d+(?:\.\d+)?)(?: \(.*\)|\/\d+)$/.exec(text)
  return first === null ? undefined : Number(first[1])
}

function unpackSeagate(id: number, raw: number): number {
  if (packedRates.has(id)) return Math.floor(raw / 2 ** 32)
  return id === packedTimeouts ? raw % 2 ** 16 : raw
}
