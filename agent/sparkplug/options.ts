// What a configuration may say of an edge node.

import { type BrokerOptions, brokerFields, checkBrokers } from '../../core/mqtt-options.ts'
import { bool, duration, integer, list, object, optional, refined, type Shape, size, text } from '../../core/shape.ts'
import { parseTemplate, type Template, template } from '../uplinks/template.ts'
import { id } from './names.ts'

export interface SparkplugOptions extends BrokerOptions {
  readonly group: string
  /** The node's own name unless told. */
  readonly edge_node: string | undefined
  readonly device: Template
  /** Attributes that the names of metrics do not show. */
  readonly omit: readonly string[]
  /** The host application without which nothing is said. */
  readonly primary_host: string | undefined
  /** Whether a value is left out that is the same as the one before. */
  readonly by_exception: boolean
  /** ms */
  readonly silent_after: number
  readonly max_metrics: number
  /** Bytes of a command. */
  readonly max_command: number
  /** Between two births that hosts ask for, ms. */
  readonly rebirth_pause: number
}

const device = template('a device made of attributes, such as {source} or {line}-{source}', literal =>
  /[+/#]/.test(literal) ? 'a device is called without +, / and #' : undefined,
)

export const sparkplugOptions: Shape<SparkplugOptions> = refined(
  object({
    ...brokerFields,
    group: optional(id, 'fieldline'),
    edge_node: optional(id),
    device: optional(device, parseTemplate('{source}')),
    omit: optional(list(text, 100), []),
    primary_host: optional(id),
    by_exception: optional(bool, true),
    silent_after: optional(duration(1000, 86_400_000), 300_000),
    max_metrics: optional(integer(1, 1_000_000), 20_000),
    max_command: optional(size(64), 64 * 1024),
    rebirth_pause: optional(duration(100, 600_000), 1000),
  }),
  checkBrokers,
)
