// A signed order as it travels: `{"order": "TEXT", "signature": "BASE64"}`. TEXT is the order as JSON; the signature is
// Ed25519 (RFC 8032) over the topic, a line feed and TEXT, so that an order for one node is none for another. Pure.

import { type KeyObject, sign, verify } from 'node:crypto'
import { nodeName } from '../../core/config-shapes.ts'
import { dotted } from '../../core/config-text.ts'
import { Refused } from '../../core/errors.ts'
import type { Json, Order } from '../../core/model.ts'
import { integer, isMap, matching, object, Place, record, type Shape, shape } from '../../core/shape.ts'

/** Bytes of a message, and how deep its arguments may be nested. */
export const maxMessage = 16_384
const depth = 8

const word = matching(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'a word such as write')
const anything: Shape<Json> = shape(`a value nested at most ${depth} deep`, raw =>
  isShallow(raw, depth) ? (raw as Json) : undefined,
)
/** ms, as far as a Date goes. */
const time = integer(1, 8_640_000_000_000_000)

export const order: Shape<Order> = object({
  id: matching(/^[A-Za-z0-9._:-]{1,64}$/, 'an id of letters, digits, ".", "_", ":" and "-", at most 64'),
  to: nodeName,
  action: word,
  args: record(anything),
  from: matching(/^[^\p{Cc}]{1,200}$/u, 'who gives it'),
  issued: time,
  expires: time,
})

export function signOrder(topic: string, order: Order, key: KeyObject): Buffer {
  const text = JSON.stringify(order)
  return Buffer.from(
    JSON.stringify({ order: text, signature: sign(null, signed(topic, text), key).toString('base64') }),
  )
}

/** @throws Refused on what is no order, or not signed by the key for this topic. */
export function readSigned(topic: string, message: Buffer, key: KeyObject): Order {
  if (message.length > maxMessage)
    throw new Refused(`an order of ${message.length} bytes, at most ${maxMessage} are taken`)
  const outer = parse(message.toString('utf8'))
  if (!isMap(outer) || typeof outer.order !== 'string' || typeof outer.signature !== 'string')
    throw new Refused('an order without text or signature')
  if (!verify(null, signed(topic, outer.order), key, Buffer.from(outer.signature, 'base64')))
    throw new Refused('an order whose signature is not by our key, or not for this node')
  return readOrder(parse(outer.order))
}

function readOrder(raw: unknown): Order {
  const place = new Place()
  const value = order.read(raw, place)
  const [problem] = place.problems
  if (problem === undefined) return value
  const where = problem.path.length === 0 ? '' : `${dotted(problem.path)}: `
  throw new Refused(`an order that is none: ${where}${problem.message}`)
}

function signed(topic: string, text: string): Buffer {
  return Buffer.from(`${topic}\n${text}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refused('an order that is not JSON', { cause })
  }
}

function isShallow(raw: unknown, deep: number): boolean {
  if (typeof raw !== 'object' || raw === null) return true
  return deep > 0 && Object.values(raw).every(item => isShallow(item, deep - 1))
}
