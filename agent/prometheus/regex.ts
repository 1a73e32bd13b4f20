// Regular expressions of RE2's syntax that always match a text as a whole, in time bounded by text times expression: what
// an endpoint writes into its labels must not be able to hold the daemon up, as it can with JavaScript's own.
// All ways to match are walked side by side, the preferred first (Pike; https://swtch.com/~rsc/regexp/regexp2.html).

export interface Regex {
  /** The whole match and its groups, undefined for those that took no part; undefined where the text does not match. */
  match(text: string): readonly (string | undefined)[] | undefined
  /** Groups with a name, to their numbers. */
  readonly names: ReadonlyMap<string, number>
}

type Test = (char: string) => boolean
type Node =
  | { readonly is: 'char'; readonly test: Test }
  | { readonly is: 'all'; readonly of: readonly Node[] }
  | { readonly is: 'any'; readonly of: readonly Node[] }
  | { readonly is: 'repeat'; readonly of: Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly is: 'group'; readonly of: Node; readonly group: number }
  | { readonly is: 'assert'; readonly what: '^' | '$' | 'b' | 'B' }

type Instruction =
  | { readonly op: 'char'; readonly test: Test }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'assert'; readonly what: '^' | '$' | 'b' | 'B' }
  | { readonly op: 'match' }

/** As RE2 has it. */
const mostRepeats = 1000
const mostInstructions = 5000
const mostDepth = 100

/** @throws Error that says what is wrong. */
export function compileRegex(source: string): Regex {
  const parser = new Parser(source)
  const program: Instruction[] = []
  emit(parser.parse(), program)
  program.push({ op: 'match' })
  return { names: parser.names, match: text => run(program, Array.from(text), parser.groups) }
}

class Parser {
  readonly #source: string
  readonly names = new Map<string, number>()
  groups = 0
  #at = 0
  #depth = 0
  #ignoreCase = false
  /** Prometheus lets a dot match a line's end too. */
  #dotAll = true

  constructor(source: string) {
    this.#source = source
  }

  parse(): Node {
    const all = this.#alternatives()
    if (this.#at < this.#source.length) throw new Error('a parenthesis too many')
    return all
  }

  get #char(): string {
    return this.#source[this.#at] ?? ''
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #alternatives(): Node {
    if (++this.#depth > mostDepth) throw new Error('nested too deeply')
    const of = [this.#sequence()]
    while (this.#takes('|')) of.push(this.#sequence())
    this.#depth--
    return of.length === 1 ? of[0]! : { is: 'any', of }
  }

  #sequence(): Node {
    const of: Node[] = []
    while (this.#char !== '' && this.#char !== '|' && this.#char !== ')') {
      const atom = this.#atom()
      if (atom !== undefined) of.push(this.#repeated(atom))
    }
    return { is: 'all', of }
  }

  #repeated(atom: Node): Node {
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at, this.#at + 16))
    const simple = { '*': [0, Number.POSITIVE_INFINITY], '+': [1, Number.POSITIVE_INFINITY], '?': [0, 1] }[this.#char]
    if (counted === null && simple === undefined) return atom
    this.#at += counted?.[0].length ?? 1
    const [min, max] = (simple ?? boundsOf(counted!)) as [number, number]
    const lazy = this.#takes('?')
    if (/^([*+?]|\{\d+(,\d*)?\})/.test(this.#source.slice(this.#at))) throw new Error('a repetition is repeated')
    return { is: 'repeat', of: atom, min, max, lazy }
  }

  #atom(): Node | undefined {
    const at = this.#at
    if (this.#takes('(')) return this.#group()
    if (this.#takes('^')) return { is: 'assert', what: '^' }
    if (this.#takes('$')) return { is: 'assert', what: '$' }
    if (this.#takes('\\b')) return { is: 'assert', what: 'b' }
    if (this.#takes('\\B')) return { is: 'assert', what: 'B' }
    if (this.#takes('\\A')) return { is: 'assert', what: '^' }
    if (this.#takes('\\z')) return { is: 'assert', what: '$' }
    if (this.#takes('.')) return { is: 'char', test: this.#dotAll ? () => true : c => c !== '\n' }
    if ('*+?'.includes(this.#char)) throw new Error(`nothing for ${this.#char} to repeat`)
    if (this.#char === '[') return this.#class()
    if (this.#char === '\\') return this.#escape()
    const char = String.fromCodePoint(this.#source.codePointAt(at)!)
    this.#at += char.length
    return this.#one(RegExp.escape(char))
  }

  /** Behind its opening parenthesis; undefined for one that only sets flags. */
  #group(): Node | undefined {
    const flags = /^\?([is]*)(?:-([is]+))?([:)])/.exec(this.#source.slice(this.#at))
    const name = /^\?P?<([A-Za-z0-9_]+)>/.exec(this.#source.slice(this.#at))
    if (flags === null && name === null && this.#char === '?')
      throw new Error('a group (?...) of a kind that is not known')
    const outer = [this.#ignoreCase, this.#dotAll] as const
    if (flags !== null) {
      this.#at += flags[0].length
      this.#setFlags(flags[1]!, true)
      this.#setFlags(flags[2] ?? '', false)
      if (flags[3] === ')') return undefined
    }
    this.#at += name?.[0].length ?? 0
    const group = flags === null ? ++this.groups : 0
    if (name !== null) this.names.set(name[1]!, group)
    const of = this.#alternatives()
    if (!this.#takes(')')) throw new Error('a parenthesis is not closed')
    ;[this.#ignoreCase, this.#dotAll] = outer
    return group === 0 ? of : { is: 'group', of, group }
  }

  #setFlags(flags: string, to: boolean): void {
    if (flags.includes('i')) this.#ignoreCase = to
    if (flags.includes('s')) this.#dotAll = to
  }

  #class(): Node {
    const m = /^\[\^?\]?(?:\\.|[^\]\\])*\]/su.exec(this.#source.slice(this.#at))
    if (m === null) throw new Error('a class [...] is not closed')
    if (/\[:\^?\w+:\]/.test(m[0])) throw new Error('classes such as [:alpha:] are not known; write a-zA-Z')
    this.#at += m[0].length
    return this.#one(
      m[0]
        .replace(/^\[(\^?)\]/, '[$1\\]')
        .replace(/\\([^\w\s])/gu, (all, c) => ('"\'#%&,:;<=>@_`~! '.includes(c) ? c : all)),
    )
  }

  #escape(): Node {
    const m = /^\\(?:[dDwWsSnrtfv]|[pP]\{\^?\w+\}|x[0-9A-Fa-f]{2}|[^\w\s])/u.exec(this.#source.slice(this.#at))
    if (m === null) throw new Error(`\\${this.#source.slice(this.#at + 1, this.#at + 2)} is not known`)
    this.#at += m[0].length
    return this.#one(/^\\\w/.test(m[0]) ? m[0] : RegExp.escape(m[0].slice(1)))
  }

  /** JavaScript knows what one character is. */
  #one(source: string): Node {
    const regex = new RegExp(`^${source}$`, this.#ignoreCase ? 'iu' : 'u')
    return { is: 'char', test: char => regex.test(char) }
  }
}

function boundsOf(m: RegExpExecArray): readonly [number, number] {
  const min = Number(m[1])
  const max = m[2] === undefined ? min : m[3] === '' ? Number.POSITIVE_INFINITY : Number(m[3])
  if (max < min || min > mostRepeats || (Number.isFinite(max) && max > mostRepeats))
    throw new Error(`${m[0]} is no range up to 1000`)
  return [min, max]
}

function emit(node: Node, program: Instruction[]): void {
  if (program.length > mostInstructions) throw new Error('too long')
  if (node.is === 'char') program.push({ op: 'char', test: node.test })
  else if (node.is === 'assert') program.push({ op: 'assert', what: node.what })
  else if (node.is === 'all') for (const one of node.of) emit(one, program)
  else if (node.is === 'any') emitAny(node.of, program)
  else if (node.is === 'repeat') emitRepeat(node, program)
  else {
    program.push({ op: 'save', slot: 2 * node.group })
    emit(node.of, program)
    program.push({ op: 'save', slot: 2 * node.group + 1 })
  }
}

function emitAny(of: readonly Node[], program: Instruction[]): void {
  const ends: { op: 'jump'; to: number }[] = []
  for (const [n, one] of of.entries()) {
    if (n === of.length - 1) {
      emit(one, program)
      continue
    }
    const split = { op: 'split' as const, first: program.length + 1, second: 0 }
    program.push(split)
    emit(one, program)
    const end = { op: 'jump' as const, to: 0 }
    ends.push(end)
    program.push(end)
    split.second = program.length
  }
  for (const end of ends) end.to = program.length
}

function emitRepeat({ of, min, max, lazy }: Extract<Node, { is: 'repeat' }>, program: Instruction[]): void {
  for (let n = 0; n < min; n++) emit(of, program)
  const optional = Number.isFinite(max) ? max - min : 1
  const splits: { op: 'split'; first: number; second: number }[] = []
  for (let n = 0; n < optional; n++) {
    const split = { op: 'split' as const, first: program.length + 1, second: program.length + 1 }
    splits.push(split)
    program.push(split)
    const at = program.length - 1
    emit(of, program)
    if (!Number.isFinite(max)) program.push({ op: 'jump', to: at })
  }
  for (const split of splits) split[lazy ? 'first' : 'second'] = program.length
}

/** One way to match, and what its groups hold: places in pairs. */
interface Thread {
  readonly at: number
  readonly saved: readonly number[]
}

function run(
  program: readonly Instruction[],
  chars: readonly string[],
  groups: number,
): (string | undefined)[] | undefined {
  let threads: Thread[] = []
  add(program, threads, new Set(), { at: 0, saved: [] }, chars, 0)
  for (let n = 0; n < chars.length; n++) {
    const next: Thread[] = []
    const seen = new Set<number>()
    for (const { at, saved } of threads) {
      const one = program[at]!
      if (one.op === 'char' && one.test(chars[n]!)) add(program, next, seen, { at: at + 1, saved }, chars, n + 1)
    }
    if (next.length === 0) return undefined
    threads = next
  }
  const saved = threads.find(({ at }) => program[at]!.op === 'match')?.saved
  if (saved === undefined) return undefined
  const piece = (from: number | undefined, to: number | undefined): string | undefined =>
    from === undefined || to === undefined ? undefined : chars.slice(from, to).join('')
  return Array.from({ length: groups + 1 }, (_, n) =>
    n === 0 ? chars.join('') : piece(saved[2 * n], saved[2 * n + 1]),
  )
}

/** Follows what takes no character, the preferred way first; a place reached before is reached no second time. */
function add(
  program: readonly Instruction[],
  threads: Thread[],
  seen: Set<number>,
  start: Thread,
  chars: readonly string[],
  place: number,
): void {
  const stack = [start]
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    const { at, saved } = thread
    if (seen.has(at)) continue
    seen.add(at)
    const one = program[at]!
    if (one.op === 'jump') stack.push({ at: one.to, saved })
    else if (one.op === 'split') stack.push({ at: one.second, saved }, { at: one.first, saved })
    else if (one.op === 'save') stack.push({ at: at + 1, saved: withPlace(saved, one.slot, place) })
    else if (one.op !== 'assert') threads.push(thread)
    else if (holds(one.what, chars, place)) stack.push({ at: at + 1, saved })
  }
}

function withPlace(saved: readonly number[], slot: number, place: number): number[] {
  const copy = saved.slice()
  copy[slot] = place
  // A group entered again has not ended yet.
  if (slot % 2 === 0) delete copy[slot + 1]
  return copy
}

function holds(what: '^' | '$' | 'b' | 'B', chars: readonly string[], place: number): boolean {
  if (what === '^') return place === 0
  if (what === '$') return place === chars.length
  const isWord = (char: string | undefined): boolean => char !== undefined && /^\w$/.test(char)
  return (isWord(chars[place - 1]) !== isWord(chars[place])) === (what === 'b')
}
