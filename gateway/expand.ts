// What a gateway's configuration file stands for: its sources with their templates filled in.

import type { Source } from '../agent/source.ts'
import type { Config } from '../core/config.ts'
import { isMap, Place } from '../core/shape.ts'

/** `read` reads another configuration file. @throws ConfigError for mistakes in a file that this one uses. */
export function expanded(config: Config, known: readonly Source<unknown>[], read: (file: string) => Config): Config {
  const { plain } = config
  if (!isMap(plain) || !Array.isArray(plain.sources)) return config
  const place = new Place()
  // Many devices are of one kind, and so have one template.
  const files = new Map<string, Config>()
  const readOnce = (file: string): Config => {
    const config = files.get(file) ?? read(file)
    files.set(file, config)
    return config
  }
  const sources = plain.sources.map((raw: unknown, n) => {
    const source = isMap(raw) ? known.find(s => s.name === raw.type) : undefined
    return source?.fillIn ? source.fillIn(raw as Record<string, unknown>, place.at('sources').at(n), readOnce) : raw
  })
  return config.with({ ...plain, sources }, place.problems)
}
