// Choosing devices by name: `include` and `exclude` lists of patterns, `*` any characters, `?` one, `[a-z]` one of these.

import { list, optional, type Place, type Shape, text } from '../core/shape.ts'

const pattern: Shape<RegExp> = {
  expects: 'a pattern such as sd*, eth? or nvme[0-9]n1',
  read: (raw, place) => toRegExp(text.read(raw, place), place),
}

/** The two options of a source that reads several devices. */
export const patterns = { include: optional(list(pattern, 100)), exclude: optional(list(pattern, 100)) }

export interface Patterns {
  readonly include: readonly RegExp[] | undefined
  readonly exclude: readonly RegExp[] | undefined
}

/**
 * A device is read if a pattern of `include` matches it (all do where it is absent) and none of `exclude` does.
 * The patterns `usually` are left out where the configuration names neither what to read nor what not to.
 */
export function chooser({ include, exclude }: Patterns, usually: readonly string[]): (name: string) => boolean {
  const unwanted = exclude ?? (include === undefined ? usually.map(glob => compile(glob)) : [])
  return name => (include?.some(p => p.test(name)) ?? true) && !unwanted.some(p => p.test(name))
}

function toRegExp(glob: unknown, place: Place): RegExp {
  try {
    return compile(String(glob))
  } catch {
    place.wrong(`expected ${pattern.expects}, but the range in ${glob} is not one`)
    return /(?!)/
  }
}

function compile(glob: string): RegExp {
  const parts = glob.split(/(\[[^\]]+\]|[*?])/).map(part => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    return /^\[[^\]]+\]$/.test(part) ? part.replaceAll('\\', '\\\\') : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('')}$`, 's')
}
