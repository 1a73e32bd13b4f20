// Names made of a series' attributes: `{site}/{line}/{source}`. What a template does not use can tell series apart that would
// else go by one name.

import type { Attributes } from '../../core/model.ts'
import { type Shape, shape } from '../../core/shape.ts'

export interface Template {
  /** The attributes it asks for. */
  readonly keys: readonly string[]
  /** Undefined where one that it asks for is missing or empty. `safe` makes a value fit for its place. */
  fill(look: (key: string) => string | undefined, safe: (value: string) => string): string | undefined
}

const part = /\{([A-Za-z][A-Za-z0-9._-]*)\}/g

/** `check` says what is wrong with the text between the attributes, if anything is. */
export function template(expects: string, check: (literal: string) => string | undefined): Shape<Template> {
  return shape(expects, (raw, place) => {
    if (typeof raw !== 'string' || raw === '') return undefined
    const literal = raw.replaceAll(part, '')
    const wrong = /[{}]/.test(literal) ? 'attributes stand in it as {name}' : check(literal)
    if (wrong !== undefined) place.wrong(`${wrong}, got ${JSON.stringify(raw)}`)
    return parseTemplate(raw)
  })
}

export function parseTemplate(text: string): Template {
  // Of a split by a pattern with one group every other piece is what the group matched.
  const pieces = text.split(part)
  const keys = pieces.filter((_, n) => n % 2 === 1)
  return {
    keys,
    fill(look, safe) {
      let filled = pieces[0]!
      for (let n = 1; n < pieces.length; n += 2) {
        const value = look(pieces[n]!)
        if (value === undefined || value === '') return undefined
        filled += safe(value) + pieces[n + 1]!
      }
      return filled
    },
  }
}

/** `key=value` of what is not among `used`, by key: the same for the same attributes in any order. */
export function distinguishing(attributes: Attributes, used: readonly string[]): readonly string[] {
  return Object.keys(attributes)
    .filter(key => !used.includes(key))
    .sort()
    .map(key => `${key}=${attributes[key]}`)
}
