// Configuration files: YAML in, checked plain data out, every mistake with its place. This loads the YAML parser; a
// daemon therefore never imports it, but asks a short-lived child (core/config-child.ts).

import { closeSync, openSync, readSync } from 'node:fs'
import { isMap, LineCounter, parseDocument, type YAMLParseError } from 'yaml'
import { plainOf } from './config-plain.ts'
import { type Mistake, render } from './config-text.ts'
import { Place, type Problem, type Shape } from './shape.ts'

/** 100,000 nodes of an OPC UA server are 5 MiB. */
const maxFile = 8 * 1024 ** 2

/** What is wrong with a configuration file; the message holds every problem with its line and a caret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface Config {
  /** The file's content as JSON-like data. */
  readonly plain: unknown
  /** The same file, where part of what it says stands for more; `problems` are what was wrong with that. */
  with(plain: unknown, problems: readonly Problem[]): Config
  /** Applies a shape. Throws ConfigError with all its problems. */
  check<T>(shape: Shape<T>): T
  /** A ConfigError that points at a key of the file. */
  wrong(problem: Problem): ConfigError
}

/** @throws ConfigError when the file cannot be read, is not YAML, or holds what a configuration may not hold. */
export function readConfig(file: string): Config {
  return parseConfig(file, readText(file))
}

export function parseConfig(file: string, text: string): Config {
  const lines = new LineCounter()
  // Duplicate keys are found by config-plain.ts, in linear time.
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const { value, mistakes, offsetOf } = plainOf(doc)
  const fail = (all: readonly Mistake[]): ConfigError => new ConfigError(render(file, text, lines, all))
  const toMistake = (p: Problem): Mistake => ({
    offset: offsetOf(p),
    path: p.key === true ? p.path.slice(0, -1) : p.path,
    message: p.message,
    ...(p.first === undefined ? {} : { first: offsetOf({ path: p.first }) }),
  })
  const syntax = [...doc.errors, ...doc.warnings]
  const deep = syntax.find(e => e.code === 'RESOURCE_EXHAUSTION')
  if (syntax.length > 0) throw fail((deep ? [deep] : syntax).map(syntaxMistake))
  if (!isMap(doc.contents) && mistakes.length === 0) {
    const message =
      doc.contents === null ? 'there is no configuration in this file' : 'expected a map, such as daemon: agent'
    throw fail([{ offset: 0, path: [], message }])
  }
  const holding = (plain: unknown, known: readonly Mistake[]): Config => ({
    plain,
    with: (more, problems) => holding(more, [...known, ...problems.map(toMistake)]),
    wrong: problem => fail([toMistake(problem)]),
    check(shape) {
      const place = new Place()
      const checked = shape.read(plain, place)
      const all = [...known, ...place.problems.map(toMistake)]
      if (all.length > 0) throw fail(all)
      return checked
    },
  })
  return holding(value, mistakes)
}

const inOurWords: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins here; a configuration is one',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab indents this line; YAML takes only spaces',
}

function syntaxMistake({ code, pos, message }: Pick<YAMLParseError, 'code' | 'pos' | 'message'>): Mistake {
  return { offset: pos[0], path: [], message: inOurWords[code] ?? message }
}

function readText(file: string): string {
  try {
    const bytes = readBounded(file)
    if (bytes.length > maxFile) throw new ConfigError(`${file}: larger than 8 MiB; this is no configuration`)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(`${file}: cannot be read`, { cause })
  }
}

/** At most one byte more than a configuration may have, of files and pipes alike. */
function readBounded(file: string): Buffer {
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(maxFile + 1)
    let length = 0
    for (let n = 1; n > 0 && length < buffer.length; length += n)
      n = readSync(fd, buffer, length, buffer.length - length, null)
    return buffer.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}
