// What a configuration says of orders: which are allowed (none that is not written here), how often, and by whose key.

import { nodeName } from '../../core/config-shapes.ts'
import { absolutePath, bool, list, object, optional, type Place, refined, type Shape, text } from '../../core/shape.ts'
import { type Budget, budget } from '../budget.ts'
import { patterns } from '../patterns.ts'

export interface Allowed {
  /** The configured name of a source. */
  readonly source: string
  readonly action: string
  /** Registers, nodes, methods or topics; absent: all that the source itself lets be written or called. */
  readonly to: readonly RegExp[] | undefined
  readonly budget: Budget
  /** Also without a signature: from an uplink whose protocol carries commands. */
  readonly unsigned: boolean
}

export interface OrdersConfig {
  /** A PEM file with the public Ed25519 key of whoever may give signed orders. */
  readonly key: string | undefined
  readonly allow: readonly Allowed[]
}

const allowed: Shape<Allowed> = object(
  {
    source: nodeName,
    action: text,
    to: patterns.include,
    budget: optional(budget(), { most: 60, within: 3_600_000 }),
    unsigned: optional(bool, false),
  },
  'what is allowed',
)

const shape: Shape<OrdersConfig> = object({ key: optional(absolutePath), allow: list(allowed, 1000) })

export const orders: Shape<OrdersConfig> = refined(shape, ({ key, allow }, place) => {
  for (const [n, { unsigned }] of allow.entries()) {
    if (key === undefined && !unsigned) needsKey(place.at('allow').at(n))
  }
})

function needsKey(place: Place): void {
  place.wrong(
    'signed orders need key: with the file of the public key; or write unsigned: true, for commands of an uplink',
  )
}
