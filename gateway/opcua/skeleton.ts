// A configuration of a gateway that reads what was browsed, for a person to go on with: pure.

import type { Described } from './describe.ts'

export interface Skeleton {
  readonly url: string
  /** Of the source, beside url and nodes. */
  readonly options: Readonly<Record<string, unknown>>
  readonly variables: readonly Described[]
  /** Comments at the head. */
  readonly notes: readonly string[]
}

/** Types whose values are seldom meant: left to whoever wants them all the same. */
const unread: ReadonlySet<string> = new Set([
  'ByteString',
  'XmlElement',
  'DiagnosticInfo',
  'DataValue',
  'Null',
  'unknown',
])

export function skeleton({ url, options, variables, notes }: Skeleton): string {
  const names = new Map<string, number>()
  const lines = variables.map(
    one => `${isUsable(one) ? '      ' : '      # '}${nodeLine(one, unique(nameOf(one), names))}`,
  )
  const hasNodes = variables.some(isUsable)
  return [
    ...notes.map(note => `# ${note}`),
    'daemon: gateway',
    'sources:',
    '  - type: opcua',
    `    url: ${JSON.stringify(url)}`,
    ...Object.entries(options).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`),
    hasNodes ? '    nodes:' : '    nodes: []',
    ...lines,
    'uplinks: []',
    '',
  ].join('\n')
}

function isUsable({ type, isReadable }: Described): boolean {
  return isReadable && !unread.has(type)
}

function nodeLine({ node, unit, type, isArray, isReadable }: Described, name: string): string {
  const fields = [`name: ${quoted(name)}`, `node: ${quoted(node)}`, ...(unit === '1' ? [] : [`unit: ${quoted(unit)}`])]
  const remarks = [type, ...(isArray ? ['array'] : []), ...(isReadable ? [] : ['not readable'])]
  return `- { ${fields.join(', ')} } # ${remarks.join(', ')}`
}

/** The path in the style of metric names: `line.tank.level`. */
function nameOf({ path }: Described): string {
  const words = path.map(word =>
    separated(word)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
      .replaceAll(/^_|_$/g, ''),
  )
  return words.filter(word => word !== '').join('.') || 'value'
}

/** `LevelAlarm` to `Level_Alarm`. */
function separated(word: string): string {
  return word.replaceAll(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/gu, '_')
}

function unique(name: string, names: Map<string, number>): string {
  const count = (names.get(name) ?? 0) + 1
  names.set(name, count)
  return count === 1 ? name : unique(`${name}_${count}`, names)
}

/** JSON's texts are YAML's, too; control characters and lines of a name then break nothing. */
function quoted(text: string): string {
  return /^[a-z][a-z0-9_.]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(text)
    ? text
    : JSON.stringify(text)
}
