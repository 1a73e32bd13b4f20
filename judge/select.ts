// Which nodes and series a rule is about.

import type { Series } from '../core/model.ts'
import { matching, optional, record, type Shape, scalar, text } from '../core/shape.ts'

export interface Selection {
  /** Absent: any. */
  readonly metric?: string | undefined
  /** Attributes that must be just so; others may be anything. */
  readonly where?: Readonly<Record<string, string | number | boolean>> | undefined
  /** A pattern: `*` stands for any letters, `press-*` for every press. */
  readonly node?: string | undefined
}

export const metric = text
export const where = optional(record(scalar))
export const node: Shape<string | undefined> = optional(
  matching(/^[A-Za-z0-9._*-]{1,200}$/, 'a node name, with * for any letters'),
)

export function selectsNode({ node }: Selection): (name: string) => boolean {
  return node === undefined ? () => true : selectsName(node)
}

/** By a pattern with `*` for any letters. */
export function selectsName(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*')
  return name => fits(name, parts)
}

export function selectsSeries(selection: Selection): (name: string, series: Series) => boolean {
  const ofNode = selectsNode(selection)
  const wanted = Object.entries(selection.where ?? {})
  return (name, series) =>
    (selection.metric === undefined || series.name === selection.metric) &&
    wanted.every(([key, value]) => series.attributes[key] === value) &&
    ofNode(name)
}

/** Without a regular expression: a pattern with many stars must not take for ever. */
function fits(name: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at + last.length <= name.length
}
