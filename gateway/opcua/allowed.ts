// What may be written or given to a method, as the configuration declares it: numbers within bounds, or one of some texts.
// What nobody declared nobody may write.

import { Refused } from '../../core/errors.ts'
import type { Json } from '../../core/model.ts'
import { list, number, object, optional, refined, text } from '../../core/shape.ts'

export const allowed = refined(
  object({ min: optional(number), max: optional(number), values: optional(list(text, 1000)) }, 'what is allowed'),
  ({ min, max, values }, place) => {
    if (values !== undefined ? min !== undefined || max !== undefined : min === undefined || max === undefined)
      place.wrong('give either min and max, or values')
    else if (min !== undefined && max !== undefined && min > max)
      place.at('min').wrong(`min ${min} is above max ${max}`)
  },
)

export type Allowed = ReturnType<typeof allowed.read>

/** @throws Refused where `value` lies outside; `what` is how the message begins. */
export function permit(
  { min = 0, max = 0, values }: Allowed,
  value: Json | undefined,
  what: string,
): number | string | boolean {
  if (values !== undefined) {
    if (typeof value === 'string' && values.includes(value)) return value
    throw new Refused(`${what}: ${JSON.stringify(value)} is none of the values allowed: ${values.join(', ')}`)
  }
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
    const n = Number(value)
    if (n >= min && n <= max) return value
    throw new Refused(`${what}: ${value} lies outside of ${min} to ${max}`)
  }
  throw new Refused(`${what}: expected a number or true or false, got ${JSON.stringify(value)}`)
}
