// The language of derived series: a small part of PromQL, over one reading of all targets.
//
//   expression = comparison { "and" comparison }
//   comparison = sum { (">" | "<" | ">=" | "<=" | "==" | "!=") sum }      keeps the elements for which it holds
//   sum        = term { ("+" | "-") term }
//   term       = factor { ("*" | "/") factor }
//   factor     = number | "-" factor | "(" expression ")" | selector | call
//   call       = ("rate" | "abs") "(" expression ")"  |  "time" "(" ")"  |  "histogram_quantile" "(" number "," expression ")"
//              | ("sum" | "min" | "max" | "avg" | "count") [ by ] "(" expression ")" [ by ]
//              | "quantile" [ by ] "(" number "," expression ")" [ by ]
//   by         = ("by" | "without") "(" [ label { "," label } ] ")"
//   selector   = name [ "{" [ matcher { "," matcher } ] "}" ]
//   matcher    = label ("=" | "!=" | "=~" | "!~") text

import { compileRegex, type Regex } from './regex.ts'

export interface Matcher {
  readonly label: string
  readonly fits: (value: string) => boolean
}

export interface Selector {
  readonly is: 'selector'
  readonly name: string
  readonly matchers: readonly Matcher[]
}

export interface Grouping {
  readonly labels: readonly string[]
  readonly without: boolean
}

const aggregations = ['sum', 'min', 'max', 'avg', 'count', 'quantile'] as const
export type Aggregation = (typeof aggregations)[number]
/** Weakest first; those of one line bind alike. */
const operators = [['and'], ['>', '<', '>=', '<=', '==', '!='], ['+', '-'], ['*', '/']] as const
export type Operator = (typeof operators)[number][number]

export type Expression =
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'time' }
  | Selector
  | { readonly is: 'rate' | 'abs'; readonly of: Expression }
  | { readonly is: 'histogram_quantile'; readonly quantile: number; readonly of: Expression }
  | {
      readonly is: 'aggregate'
      readonly how: Aggregation
      readonly quantile: number
      readonly grouping: Grouping
      readonly of: Expression
    }
  | { readonly is: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }

const mostDepth = 50
const token =
  /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)|([a-zA-Z_][a-zA-Z0-9_.:]*)|("(?:[^"\\\n]|\\.)*")|(=~|!~|!=|==|>=|<=|[-+*/(){},=<>]))/giy

/** @throws Error that says what was expected, and where. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text)
  const expression = parser.expression()
  if (parser.token !== '') parser.fail('an operator or the end')
  return expression
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0
  /** What comes next; empty at the end. */
  token = ''

  constructor(text: string) {
    this.#text = text
    this.#next()
  }

  fail(expected: string): never {
    const at = this.#at - this.token.length
    throw new Error(`expected ${expected} at character ${at + 1}, got ${this.token || 'the end'}`)
  }

  expression(): Expression {
    if (++this.#depth > mostDepth) throw new Error('nested too deeply')
    const expression = this.#level(0)
    this.#depth--
    return expression
  }

  #level(level: number): Expression {
    const words = operators[level]
    if (words === undefined) return this.#factor()
    let left = this.#level(level + 1)
    for (let operator = this.#one(...words); operator !== undefined; operator = this.#one(...words)) {
      left = { is: 'binary', operator, left, right: this.#level(level + 1) }
    }
    return left
  }

  #factor(): Expression {
    if (this.#one('-')) {
      if (++this.#depth > mostDepth) throw new Error('nested too deeply')
      const right = this.#factor()
      this.#depth--
      return { is: 'binary', operator: '-', left: { is: 'number', value: 0 }, right }
    }
    if (this.#one('(')) {
      const inner = this.expression()
      this.#expect(')')
      return inner
    }
    if (/^[.\d]/.test(this.token)) return { is: 'number', value: this.#number() }
    const name = this.#word('a number, a metric or a function')
    const how = aggregations.find(a => a === name)
    if (how !== undefined && (this.token === '(' || this.token === 'by' || this.token === 'without'))
      return this.#aggregate(how)
    return this.token === '(' ? this.#call(name) : this.#selector(name)
  }

  #call(name: string): Expression {
    this.#expect('(')
    if (name === 'time') {
      this.#expect(')')
      return { is: 'time' }
    }
    const quantile = name === 'histogram_quantile' ? this.#share() : 0
    const of = this.expression()
    this.#expect(')')
    if (name === 'histogram_quantile') return { is: name, quantile, of }
    if (name === 'rate' || name === 'abs') return { is: name, of }
    throw new Error(
      `there is no function ${name}; known are rate, abs, time, histogram_quantile, ${aggregations.join(', ')}`,
    )
  }

  #aggregate(how: Aggregation): Expression {
    const before = this.#grouping()
    this.#expect('(')
    const quantile = how === 'quantile' ? this.#share() : 0
    const of = this.expression()
    this.#expect(')')
    const grouping = before ?? this.#grouping() ?? { labels: [], without: false }
    return { is: 'aggregate', how, quantile, grouping, of }
  }

  #grouping(): Grouping | undefined {
    const word = this.#one('by', 'without')
    if (word === undefined) return undefined
    return { labels: this.#list('(', ')', () => this.#label()), without: word === 'without' }
  }

  #selector(name: string): Selector {
    return { is: 'selector', name, matchers: this.token === '{' ? this.#list('{', '}', () => this.#matcher()) : [] }
  }

  #matcher(): Matcher {
    const label = this.#label()
    const operator = this.#one('=', '!=', '=~', '!~') ?? this.fail('=, !=, =~ or !~')
    const text = this.#quoted()
    if (operator === '=') return { label, fits: value => value === text }
    if (operator === '!=') return { label, fits: value => value !== text }
    const regex: Regex = compileRegex(text)
    return { label, fits: value => (regex.match(value) !== undefined) === (operator === '=~') }
  }

  #label(): string {
    return this.token.startsWith('"') ? this.#quoted() : this.#word('a label')
  }

  /** A quantile and its comma. */
  #share(): number {
    const value = this.#number()
    if (value > 1) throw new Error(`a quantile is from 0 to 1, not ${value}`)
    this.#expect(',')
    return value
  }

  #list<T>(open: string, close: string, item: () => T): T[] {
    this.#expect(open)
    const items: T[] = []
    while (this.token !== close) {
      items.push(item())
      if (this.token !== close) this.#expect(',')
    }
    this.#expect(close)
    return items
  }

  #number(): number {
    if (!/^[.\d]/.test(this.token)) this.fail('a number')
    const value = Number(this.token)
    this.#next()
    return value
  }

  #word(expected: string): string {
    const word = this.token
    if (!/^[a-z_]/i.test(word)) this.fail(expected)
    this.#next()
    return word
  }

  #quoted(): string {
    if (!this.token.startsWith('"')) this.fail('a text in quotes')
    const text = this.token.slice(1, -1).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))
    this.#next()
    return text
  }

  #one<const T extends string>(...words: readonly T[]): T | undefined {
    const found = words.find(word => word === this.token)
    if (found !== undefined) this.#next()
    return found
  }

  #expect(word: string): void {
    if (this.#one(word) === undefined) this.fail(word)
  }

  #next(): void {
    token.lastIndex = this.#at
    const m = token.exec(this.#text)
    if (m === null && this.#text.slice(this.#at).trim() !== '') {
      this.token = this.#text.slice(this.#at).trim().slice(0, 10)
      this.#at = this.#text.length - this.#text.slice(this.#at).trimStart().length + this.token.length
      this.fail('an expression')
    }
    this.token = m?.[0].trim() ?? ''
    this.#at = m === null ? this.#text.length : token.lastIndex
  }
}
