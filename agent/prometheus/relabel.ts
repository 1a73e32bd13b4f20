// Rules that rename, keep and drop what an endpoint exposes, with the meaning of Prometheus' metric_relabel_configs.
// https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config

import {
  list,
  matching,
  object,
  oneOf,
  optional,
  type Place,
  refined,
  type Shape,
  shape,
  text,
} from '../../core/shape.ts'
import { compileRegex, type Regex } from './regex.ts'

export const actions = ['replace', 'keep', 'drop', 'labelmap', 'labeldrop', 'labelkeep'] as const

export interface Rule {
  readonly source_labels: readonly string[]
  readonly separator: string
  readonly regex: Regex
  readonly target_label: string | undefined
  readonly replacement: string
  readonly action: (typeof actions)[number]
}

/** The label that holds a sample's name. */
export const nameLabel = '__name__'

const anyText = shape('a text', raw => (typeof raw === 'string' ? raw : undefined))
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** An expression of RE2's syntax, always for the whole text. */
export const regex: Shape<Regex> = {
  expects: 'a regular expression such as rabbitmq_(.*)',
  read(raw, place) {
    try {
      return compileRegex(anyText.read(raw, place))
    } catch (error) {
      place.wrong(`expected ${regex.expects}, but ${error instanceof Error ? error.message : error}`)
      return compileRegex('')
    }
  },
}

const rule: Shape<Rule> = refined(
  object({
    source_labels: optional(list(text, 20), []),
    separator: optional(anyText, ';'),
    regex: optional(regex, compileRegex('(.*)')),
    target_label: optional(matching(/^[a-zA-Z_${}0-9]+$/, 'the name of a label such as __name__')),
    replacement: optional(anyText, '$1'),
    action: optional(oneOf(actions), 'replace'),
  }),
  ({ action, source_labels, target_label }, place: Place) => {
    if (action === 'replace' && target_label === undefined) place.wrong('action replace needs a target_label')
    if ((action === 'keep' || action === 'drop') && source_labels.length === 0)
      place.wrong(`action ${action} needs source_labels`)
  },
)

export const rules: Shape<readonly Rule[]> = optional(list(rule, 100), [])

/** Changes `labels`, the name among them as `__name__`; false where a rule drops the sample. */
export function relabel(rules: readonly Rule[], labels: Map<string, string>): boolean {
  for (const rule of rules) if (!apply(rule, labels)) return false
  return true
}

function apply(rule: Rule, labels: Map<string, string>): boolean {
  const { source_labels, separator, regex, action } = rule
  if (action === 'labeldrop' || action === 'labelkeep') {
    const drops = action === 'labeldrop'
    for (const name of [...labels.keys()]) if ((regex.match(name) !== undefined) === drops) labels.delete(name)
  } else if (action === 'labelmap') {
    for (const [name, value] of [...labels]) {
      const found = regex.match(name)
      if (found !== undefined) set(labels, expand(rule.replacement, found, regex), value)
    }
  } else {
    const found = regex.match(source_labels.map(name => labels.get(name) ?? '').join(separator))
    if (action === 'keep') return found !== undefined
    if (action === 'drop') return found === undefined
    if (found !== undefined) replace(rule, found, labels)
  }
  return true
}

function replace({ target_label = '', replacement, regex }: Rule, found: Found, labels: Map<string, string>): void {
  const target = expand(target_label, found, regex)
  if (labelName.test(target)) set(labels, target, expand(replacement, found, regex))
}

/** An empty label is none. */
function set(labels: Map<string, string>, name: string, value: string): void {
  if (value === '') labels.delete(name)
  else labels.set(name, value)
}

type Found = readonly (string | undefined)[]

/** `$1`, `${1}`, `$name`, `${name}` and `$$`, as regexp.Expand of Go takes them: the longest name counts. */
function expand(template: string, found: Found, { names }: Regex): string {
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar, bare, braced) => {
    if (dollar !== undefined) return '$'
    const name: string = bare ?? braced
    return found[/^\d+$/.test(name) ? Number(name) : (names.get(name) ?? -1)] ?? ''
  })
}
