// A list of named parts in a configuration: sources, uplinks, detectors. Each entry is a map with `type`, a `name`
// that defaults to the type, and beside them the options of that type.

import { isName } from './envelope.ts'
import { isMap, list, nearest, type Path, type Place, type Shape } from './shape.ts'

/** What a list of parts needs to know of each: agent/source.ts, agent/uplink.ts and judge/detector.ts all fit. */
export interface Kind {
  readonly name: string
  readonly options: Shape<unknown>
}

export interface Part {
  readonly type: string
  /** Unique within its list. */
  readonly name: string
  /** What the type's own shape made of the rest. */
  readonly options: unknown
}

const shared = ['type', 'name'] as const
const known = 'letters, digits, ".", "_" and "-", at most 64'

/** `word` is what one part is called in messages: `source`. */
export function parts(kinds: readonly Kind[], word: string): Shape<readonly Part[]> {
  const part: Shape<Part> = {
    expects: `a map with type and the options of that ${word}`,
    read: (raw, place) => readPart(raw, place, kinds, word),
  }
  const all = list(part, 1000)
  return {
    expects: all.expects,
    read(raw, place) {
      const read = all.read(raw, place)
      if (Array.isArray(read)) sayDuplicates(read, raw as readonly unknown[], place, word)
      return read
    },
  }
}

function readPart(raw: unknown, place: Place, kinds: readonly Kind[], word: string): Part {
  const none: Part = { type: '', name: '', options: undefined }
  if (!isMap(raw)) {
    place.wrong(`each ${word} is a map with type and its options`)
    return none
  }
  const kind = kinds.find(k => k.name === raw.type)
  if (kind === undefined) {
    sayUnknownType(raw.type, place, kinds, word)
    return none
  }
  const { type: _, name = kind.name, ...rest } = raw
  if (typeof name !== 'string' || !isName(name)) place.at('name').wrong(`expected a name: ${known}`)
  return { type: kind.name, name: String(name), options: kind.options.read(rest, place.sharing(shared)) }
}

function sayUnknownType(type: unknown, place: Place, kinds: readonly Kind[], word: string): void {
  const names = kinds.map(k => k.name)
  const near = typeof type === 'string' ? nearest(type, names) : undefined
  if (type === undefined) place.wrong(`each ${word} needs a type, one of ${names.join(', ')}`)
  else if (near !== undefined) place.at('type').wrong(`unknown ${word} type ${type}; did you mean ${near}?`)
  else place.at('type').wrong(`unknown ${word} type; known types: ${names.join(', ')}`)
}

function sayDuplicates(read: readonly Part[], raw: readonly unknown[], place: Place, word: string): void {
  const seen = new Map<string, Path>()
  for (const [n, { name }] of read.entries()) {
    if (name === '') continue
    const own = isMap(raw[n]) && raw[n].name !== undefined
    const here = own ? place.at(n).at('name') : place.at(n)
    const first = seen.get(name)
    if (first === undefined) seen.set(name, here.path)
    else here.again(`a second ${word} with the name ${name}; give each its own name`, first)
  }
}
