// HL7 v2 over MLLP: bedside monitors and their gateways send, this listens. docs/hl7.md is the guide.

import { join } from 'node:path'
import type { Source } from '../../agent/source.ts'
import { address, secretFile } from '../../core/config-shapes.ts'
import { absolutePath, duration, integer, object, optional, refined, shape, size } from '../../core/shape.ts'
import { labelOf } from '../hl7/charset.ts'
import { listen } from '../hl7/listener.ts'
import { openMapper } from '../hl7/mapper.ts'
import { senders } from '../hl7/senders.ts'
import { firstMessage } from '../hl7/trial.ts'
import { wardFields } from '../hl7/ward.ts'

/** Below the folder of the instance. */
export const asideFolder = 'aside'

const MiB = 1024 ** 2

const charset = shape('a character set of MSH-18 such as 8859/1 or GB18030', raw =>
  typeof raw === 'string' && labelOf(raw) !== undefined ? raw : undefined,
)

const options = refined(
  object({
    listen: optional(address, '127.0.0.1:2575'),
    tls: optional(object({ cert: absolutePath, key: secretFile, ca: optional(absolutePath) })),
    senders: optional(senders, []),
    /** Of messages that do not name theirs. */
    charset: optional(charset),
    max_message: optional(size(1024), MiB),
    max_connections: optional(integer(1, 10_000), 100),
    idle: optional(duration(1000, 7 * 86_400_000), 3_600_000),
    frame_timeout: optional(duration(100, 3_600_000), 10_000),
    /** Messages a second of one address. */
    pace: optional(integer(1, 100_000), 1000),
    max_aside: optional(size(MiB), 64 * MiB),
    ...wardFields,
  }),
  (value, place) => {
    if (!/^(127\.|localhost:|\[::1\]:)/.test(value.listen) && value.senders.length === 0)
      place.at('senders').wrong('beyond loopback, say who may send: for example - address: 10.1.0.0/16')
    if (value.senders.some(one => one.certificate !== undefined) && value.tls?.ca === undefined)
      place.at('senders').wrong('senders are known by certificates only with tls and its ca')
  },
)

export const hl7: Source<ReturnType<typeof options.read>> = {
  name: 'hl7',
  options,
  metrics: undefined,
  acknowledges: true,
  open(o, at) {
    const folder = at.folder === undefined ? undefined : join(at.folder, asideFolder)
    return {
      run: (emit, signal) => listen({ ...o, mapper: openMapper(o, at) }, { ...at, folder }, emit, signal),
      once: signal => firstMessage({ ...o, mapper: openMapper(o, at) }, at, signal),
    }
  },
}
