// What the configuration of a prometheus source may say.

import { secretFile } from '../../core/config-shapes.ts'
import {
  absolutePath,
  bool,
  duration,
  integer,
  isMap,
  list,
  matching,
  object,
  optional,
  record,
  refined,
  type Shape,
  size,
  text,
} from '../../core/shape.ts'
import { type Patterns, patterns } from '../patterns.ts'
import { interval } from '../polled.ts'
import { type Derivation, derivations } from './derive.ts'
import { type Rule, rules } from './relabel.ts'

export interface TargetOptions {
  readonly url: string
  /** Labels of all that this target tells. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface PrometheusOptions extends Patterns {
  readonly interval: number
  readonly targets: readonly TargetOptions[]
  readonly attributes: Readonly<Record<string, string>>
  /** For one target, ms. */
  readonly timeout: number
  /** Targets asked at once. */
  readonly concurrency: number
  readonly max_bytes: number
  readonly max_samples: number
  readonly honor_timestamps: boolean
  readonly relabel: readonly Rule[]
  readonly derive: readonly Derivation[]
  readonly username: string | undefined
  readonly password_file: string | undefined
  /** Holds a bearer token. */
  readonly token_file: string | undefined
  /** Lines of `Name: value`. */
  readonly headers_file: string | undefined
  /** PEM files; without `ca` the system's authorities are trusted. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly server_name: string | undefined
  readonly insecure: boolean
}

const url = matching(
  /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/[^\s#]*$/,
  'an address such as http://127.0.0.1:9100/metrics, without user and password',
)
const labels = optional(record(text), {})
const wholeTarget = object({ url, attributes: labels })

const target: Shape<TargetOptions> = {
  expects: `${url.expects}, or a map with url and attributes`,
  read: (raw, place) => (isMap(raw) ? wholeTarget.read(raw, place) : { url: url.read(raw, place), attributes: {} }),
}

export const prometheusOptions: Shape<PrometheusOptions> = refined(
  object({
    interval,
    targets: list(target, 1000),
    attributes: labels,
    timeout: optional(duration(100, 300_000), 10_000),
    concurrency: optional(integer(1, 100), 8),
    max_bytes: optional(size(1024), 8 * 1024 ** 2),
    max_samples: optional(integer(1, 1_000_000), 10_000),
    honor_timestamps: optional(bool, true),
    ...patterns,
    relabel: rules,
    derive: derivations,
    username: optional(text),
    password_file: optional(secretFile),
    token_file: optional(secretFile),
    headers_file: optional(secretFile),
    ca: optional(absolutePath),
    cert: optional(absolutePath),
    key: optional(secretFile),
    server_name: optional(text),
    insecure: optional(bool, false),
  }),
  (value, place) => {
    const { targets, username, password_file, token_file, cert, key, ca, insecure } = value
    if (targets.length === 0) place.at('targets').wrong('name at least one target')
    const names = targets.map(({ url, attributes }) =>
      JSON.stringify([new URL(url).host, Object.entries(attributes).sort()]),
    )
    for (const [n, name] of names.entries()) {
      const first = names.indexOf(name)
      if (first === n) continue
      const what = 'a second target at this address; give each attributes that tell them apart'
      place.at('targets').at(n).again(what, place.at('targets').at(first).path)
    }
    if ((username === undefined) !== (password_file === undefined))
      place.wrong('username and password_file belong together')
    if (username !== undefined && token_file !== undefined) place.wrong('give username or token_file, not both')
    if ((cert === undefined) !== (key === undefined)) place.wrong('cert and key belong together')
    if (insecure && ca !== undefined) place.at('insecure').wrong('with insecure any certificate will do; leave out ca')
  },
)
