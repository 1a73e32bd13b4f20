// Several messages in one piece of bytes: a file, with or without FHS, BHS, BTS and FTS around them (v2.8.2, clause
// 2.10.3), or a frame into which a sender puts more than one.

import { wideOrder } from './charset.ts'

/** Each message with its segments' ends, as it stands; of a piece with one message the piece itself. */
export function messagesIn(bytes: Buffer): readonly Buffer[] {
  if (wideOrder(bytes) !== undefined) return [bytes]
  const starts = [...startsOf(bytes)]
  const isEnveloped = /^(FHS|BHS)[^A-Za-z0-9\s]/.test(bytes.toString('latin1', 0, 4))
  if (starts.length < 2 && !isEnveloped) return [bytes]
  return starts.map((start, n) => withoutTrailers(bytes.subarray(start, starts[n + 1])))
}

/** Where a line begins with MSH. */
function* startsOf(bytes: Buffer): Generator<number> {
  for (let at = bytes.indexOf('MSH'); at >= 0; at = bytes.indexOf('MSH', at + 3)) {
    const isLine = at === 0 || bytes[at - 1] === 0x0d || bytes[at - 1] === 0x0a
    if (isLine && /[^A-Za-z0-9\s]/.test(bytes.toString('latin1', at + 3, at + 4))) yield at
  }
}

/** Headers and trailers of batches between messages are no part of them. */
function withoutTrailers(message: Buffer): Buffer {
  const end = message.toString('latin1').search(/(?<=[\r\n])(?:BTS|FTS|BHS|FHS)(?=[^A-Za-z0-9]|$)/)
  return end < 0 ? message : message.subarray(0, end)
}
