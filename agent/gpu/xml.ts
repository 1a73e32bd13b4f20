// A strict reader of the little XML that nvidia-smi writes: elements, attributes, text, comments, CDATA. A document type
// with definitions of its own is refused, so that no entity can grow; depth and size are bounded.

export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  /** Its own text without that of its children, trimmed. */
  readonly text: string
  readonly children: readonly Element[]
}

interface Open extends Element {
  text: string
  readonly children: Element[]
}

const [slash, more] = [0x2f, 0x3e]
const mostElements = 100_000
const mostDepth = 32
const mostNames = 5000

const name = /[A-Za-z_][A-Za-z0-9_.:-]*/y
const attribute = /\s+([A-Za-z_][A-Za-z0-9_.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
const tagEnd = /\s*(\/?)>/y
const documentType = /<!DOCTYPE\s[^[<>]*>/y

/**
 * The document's root. What stands in an element of `opaque` is text up to its end tag, whatever it looks like: command
 * lines that nobody escapes, and long lists that nobody reads. `names` are of elements met before: given to each document
 * of a kind, they are found again without looking at each letter.
 * @throws Error that names `source` and the place.
 */
export function parseXml(
  source: string,
  xml: string,
  opaque: ReadonlySet<string> = new Set(),
  names: Set<string> = new Set(),
): Element {
  return new Parser(source, xml, opaque, names).document()
}

class Parser {
  readonly #source: string
  readonly #xml: string
  readonly #opaque: ReadonlySet<string>
  readonly #names: Set<string>
  #at = 0
  #elements = 0

  constructor(source: string, xml: string, opaque: ReadonlySet<string>, names: Set<string>) {
    this.#source = source
    this.#xml = xml
    this.#opaque = opaque
    this.#names = names
  }

  document(): Element {
    this.#between()
    if (this.#match(documentType)) this.#between()
    const root = this.#tree()
    this.#between()
    if (this.#at < this.#xml.length) this.#fail('the end of the document')
    return root
  }

  /** White space, comments and processing instructions, of which the declaration is one. */
  #between(): void {
    const xml = this.#xml
    if (this.#at === 0 && xml.startsWith('\ufeff')) this.#at++
    for (;;) {
      while (isBlank(xml.charCodeAt(this.#at))) this.#at++
      if (xml.startsWith('<!--', this.#at)) this.#skipTo('-->', 4)
      else if (xml.startsWith('<?', this.#at)) this.#skipTo('?>', 2)
      else return
    }
  }

  #tree(): Element {
    const open: Open[] = []
    let root: Element | undefined
    for (;;) {
      const { element, closed } = this.#startTag()
      root ??= element
      open.at(-1)?.children.push(element)
      if (!closed) open.push(element)
      if (open.length + Number(closed) > mostDepth) this.#fail(`at most ${mostDepth} elements in one another`)
      if (this.#content(open)) return root
    }
  }

  /** Goes on to the next start tag; true once everything is closed. */
  #content(open: Open[]): boolean {
    const xml = this.#xml
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      const tag = xml.indexOf('<', this.#at)
      if (tag < 0) this.#fail(`</${inner.name}>`, xml.length)
      inner.text += decode(xml.slice(this.#at, tag))
      this.#at = tag
      if (xml.startsWith('</', tag)) this.#endTag(open, inner)
      else if (xml.startsWith('<!--', tag)) this.#skipTo('-->', 4)
      else if (xml.startsWith('<![CDATA[', tag)) inner.text += this.#skipTo(']]>', 9)
      else if (xml.startsWith('<?', tag)) this.#skipTo('?>', 2)
      else return false
    }
    return true
  }

  #startTag(): { readonly element: Open; readonly closed: boolean } {
    const start = this.#at
    if (this.#xml[start] !== '<') this.#fail('an element')
    if (++this.#elements > mostElements) this.#fail(`at most ${mostElements} elements`)
    const end = this.#xml.indexOf('>', start)
    const plain = this.#xml.slice(start + 1, end)
    if (!this.#names.has(plain)) return this.#fullTag(start)
    this.#at = end + 1
    return this.#opened(plain, {})
  }

  #fullTag(start: number): { readonly element: Open; readonly closed: boolean } {
    this.#at++
    const word = this.#match(name)?.[0] ?? this.#fail('an element', start)
    const attributes: Record<string, string> = {}
    for (let m = this.#match(attribute); m; m = this.#match(attribute)) attributes[m[1]!] = decode(m[2] ?? m[3]!)
    const end = this.#match(tagEnd) ?? this.#fail(`the end of <${word}`)
    if (end[1] === '/') return { element: { name: word, attributes, text: '', children: [] }, closed: true }
    if (this.#at === start + word.length + 2 && this.#names.size < mostNames) this.#names.add(word)
    return this.#opened(word, attributes)
  }

  /** Most elements hold a text and nothing else: those are closed at once. */
  #opened(word: string, attributes: Record<string, string>): { readonly element: Open; readonly closed: boolean } {
    const isOpaque = this.#opaque.has(word)
    const text = isOpaque ? this.#skipTo(`</${word}>`, 0) : this.#leaf(word)
    const element = { name: word, attributes, text: decode(text ?? '').trim(), children: [] }
    return { element, closed: text !== undefined }
  }

  /** The text up to the end tag, where nothing else comes before it. */
  #leaf(word: string): string | undefined {
    const xml = this.#xml
    const tag = xml.indexOf('<', this.#at)
    const end = tag + 2 + word.length
    if (xml.charCodeAt(tag + 1) !== slash || xml.charCodeAt(end) !== more || !xml.startsWith(word, tag + 2))
      return undefined
    const text = xml.slice(this.#at, tag)
    this.#at = end + 1
    return text
  }

  #endTag(open: Open[], inner: Open): void {
    this.#at += 2
    if (!this.#xml.startsWith(inner.name, this.#at)) this.#fail(`</${inner.name}>`, this.#at - 2)
    this.#at += inner.name.length
    if (this.#match(tagEnd)?.[1] !== '') this.#fail(`</${inner.name}>`)
    inner.text = inner.text.trim()
    open.pop()
  }

  /** What stands between the opening of `length` and `end`; steps over both. */
  #skipTo(end: string, length: number): string {
    const start = this.#at + length
    const found = this.#xml.indexOf(end, start)
    if (found < 0) this.#fail(end, this.#xml.length)
    this.#at = found + end.length
    return this.#xml.slice(start, found)
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#xml)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    return found
  }

  #fail(expected: string, at = this.#at): never {
    const got = at >= this.#xml.length ? 'the end' : JSON.stringify(this.#xml.slice(at, at + 24))
    throw new Error(`${this.#source}: expected ${expected} at character ${at}, got ${got}`)
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Only the five names and numbers that XML has by itself; anything else stays as it is written, and grows to nothing. */
function decode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));/g, (whole, decimal, hex, word) => {
    if (word !== undefined) return named[word]!
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

/** The first element down the path of names, or undefined. */
export function find(element: Element, path: readonly string[]): Element | undefined {
  let here: Element | undefined = element
  for (const step of path) here = here?.children.find(child => child.name === step)
  return here
}
