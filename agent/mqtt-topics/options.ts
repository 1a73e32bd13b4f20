// What a configuration may say of a tree of topics.

import { type BrokerOptions, brokerFields, checkBrokers } from '../../core/mqtt-options.ts'
import { list, object, optional, refined, type Shape, text } from '../../core/shape.ts'
import { parseTemplate, type Template, template } from '../uplinks/template.ts'

export interface MqttTopicsOptions extends BrokerOptions {
  /** Levels, divided by `/`; one whose attribute is missing is left out. */
  readonly topic: readonly Template[]
  readonly events_topic: readonly Template[]
  /** Attributes that topics do not show. */
  readonly omit: readonly string[]
}

const whole = template('a topic made of attributes, such as {site}/{line}/{source}/{name}', literal => {
  if (/[+#\p{Cc}]/u.test(literal)) return 'a topic has no +, # and no control characters'
  return literal.startsWith('$') ? 'what begins with $ is the broker’s own' : undefined
})

/** A topic that names what it tells of, as its levels. */
const levels: Shape<readonly Template[]> = {
  expects: whole.expects,
  read(raw, place) {
    const before = place.problems.length
    const { keys } = whole.read(raw, place) ?? { keys: [] }
    if (place.problems.length > before) return []
    if (!keys.includes('name')) place.wrong(`expected {name} in it, got ${JSON.stringify(raw)}`)
    return levelsOf(String(raw))
  },
}

function levelsOf(topic: string): readonly Template[] {
  return topic.split('/').map(level => parseTemplate(level))
}

export const mqttTopicsOptions: Shape<MqttTopicsOptions> = refined(
  object({
    ...brokerFields,
    topic: optional(levels, levelsOf('fieldline/{host.name}/{source}/{name}')),
    events_topic: optional(levels, levelsOf('fieldline/{host.name}/{source}/events/{name}')),
    omit: optional(list(text, 100), []),
  }),
  checkBrokers,
)
