// What a configuration may say of an OPC UA server and its nodes; docs/opcua.md explains it to whoever writes one.

import { secretFile } from '../../core/config-shapes.ts'
import { type Attributes, seriesKinds } from '../../core/model.ts'
import {
  absolutePath,
  bool,
  duration,
  integer,
  list,
  matching,
  object,
  oneOf,
  optional,
  Place,
  record,
  refined,
  type Shape,
  scalar,
  shape,
  size,
  text,
} from '../../core/shape.ts'
import { alarmOptions } from './alarms.ts'
import { allowed } from './allowed.ts'
import { methods } from './call.ts'
import { historyOptions } from './history.ts'
import { nodeIdText } from './node-id-text.ts'

const attributes: Shape<Attributes> = optional(record(scalar), {})

export interface Deadband {
  readonly type: 'absolute' | 'percent'
  readonly value: number
}

const deadband: Shape<Deadband> = shape('a number, or a part of the range such as 2%', raw => {
  if (typeof raw === 'number') return raw >= 0 && Number.isFinite(raw) ? { type: 'absolute', value: raw } : undefined
  const m = typeof raw === 'string' ? /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(raw) : null
  return m && Number(m[1]) <= 100 ? { type: 'percent', value: Number(m[1]) } : undefined
})

const node = object(
  {
    name: text,
    node: nodeIdText,
    unit: optional(text, '1'),
    kind: optional(oneOf(seriesKinds), 'gauge'),
    attributes,
    /** How often the server looks at it; the source's where absent. */
    sampling: optional(duration(0, 86_400_000)),
    /** How many values the server keeps between two notifications. */
    queue: optional(integer(1, 100_000)),
    deadband: optional(deadband),
    /** What may be written to it; nothing where absent. */
    write: optional(allowed),
  },
  'a node',
)

export type NodeOptions = ReturnType<typeof node.read>

const nodes = refined(list(node, 200_000), (all, place) => {
  const seen = new Map<string, number>()
  for (const [n, one] of all.entries()) {
    const key = JSON.stringify([one.name, Object.entries(one.attributes).sort()])
    const first = seen.get(key)
    if (first !== undefined) place.at(n).wrong(`node ${one.name} is already given as number ${first + 1} of this list`)
    else seen.set(key, n)
  }
})

/** OPC 10000-7, security policies; those that were withdrawn are not offered. */
export const policies = ['Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'] as const

const security = refined(
  object({
    mode: optional(oneOf(['SignAndEncrypt', 'Sign', 'None']), 'SignAndEncrypt'),
    policy: optional(oneOf(policies), 'Basic256Sha256'),
    /** Where the gateway's own certificate, `trusted/` and `rejected/` lie. */
    folder: optional(absolutePath),
    trust_first: optional(bool, false),
    certificate: optional(absolutePath),
    key: optional(secretFile),
  }),
  (given, place) => {
    if ((given.certificate === undefined) !== (given.key === undefined))
      place.wrong('certificate and key belong together')
  },
)

const user = refined(
  object({
    name: optional(text),
    password_file: optional(secretFile),
    certificate: optional(absolutePath),
    key: optional(secretFile),
  }),
  (given, place) => {
    const byName = given.name !== undefined && given.password_file !== undefined
    const byCertificate = given.certificate !== undefined && given.key !== undefined
    const keys = Object.values(given).filter(value => value !== undefined).length
    if (keys !== 2 || byName === byCertificate)
      place.wrong('give either name and password_file, or certificate and key; without user the login is anonymous')
  },
)

const KiB = 1024

const limits = object({
  /** Values in one notification; a server that has more sends several. */
  notification: optional(integer(1, 100_000), 5000),
  /** Of one answer, all its chunks together. */
  message: optional(size(64 * KiB), 16 * KiB * KiB),
  /** Characters of a text that becomes an event. */
  text: optional(integer(1, 100_000), 1000),
  /** Elements of an array. */
  elements: optional(integer(1, 100_000), 100),
  /** Fields of a structure, those of structures in it included, and how deep they lie. */
  fields: optional(integer(1, 10_000), 100),
  depth: optional(integer(1, 20), 5),
  /** Series of this source. */
  series: optional(integer(1, 2_000_000), 200_000),
})

const fallback = <T>(inner: Shape<T>): Shape<T> => optional(inner, inner.read({}, new Place()))

const options = object({
  url: matching(
    /^opc\.tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:@?#]+)(:\d{1,5})?(\/[^\s@?#]*)?$/,
    'an address such as opc.tcp://192.168.0.20:4840',
  ),
  security: fallback(security),
  user: optional(user),
  mode: optional(oneOf(['auto', 'subscribe', 'poll']), 'auto'),
  /** How often the server sends what changed, or is asked for it. */
  interval: optional(duration(10, 3_600_000), 1000),
  sampling: optional(duration(0, 86_400_000)),
  queue: optional(integer(1, 100_000), 10),
  discard: optional(oneOf(['oldest', 'newest']), 'oldest'),
  /** How long the server shall keep collecting for a gateway that is away. */
  lifetime: optional(duration(10_000, 86_400_000), 600_000),
  timeout: optional(duration(100, 300_000), 10_000),
  /** How often the server is asked whether it still answers. */
  keep_alive: optional(duration(100, 300_000), 5000),
  /** How often what the server does not know is looked for again. */
  retry: optional(duration(1000, 86_400_000), 30_000),
  /** How far its clock and its time stamps may be from the gateway's. */
  max_skew: optional(duration(1000, 86_400_000), 60_000),
  uncertain: optional(oneOf(['keep', 'drop']), 'keep'),
  attributes,
  limits: fallback(limits),
  alarms: alarmOptions,
  history: historyOptions,
  methods,
  nodes,
})

export const opcUaOptions = refined(options, ({ mode, alarms }, place) => {
  if (mode === 'poll' && alarms !== undefined) place.at('alarms').wrong('alarms cannot be polled: take mode subscribe')
})

export type OpcUaOptions = ReturnType<typeof opcUaOptions.read>
