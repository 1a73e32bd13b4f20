// Mistakes in a configuration file as text: `FILE:LINE:COLUMN: where: what`, the line, and a caret below the place.

import { hideSecrets, isSecret } from './log.ts'
import type { Path } from './shape.ts'

export interface Mistake {
  /** Character offset in the file. */
  readonly offset: number
  /** What of the configuration it is about; empty where that is not known. */
  readonly path: Path
  readonly message: string
  /** Offset of the first of two equal things. */
  readonly first?: number
}

/** Lines and columns from 1. */
export interface Lines {
  linePos(offset: number): { readonly line: number; readonly col: number }
}

const shown = 20
const width = 120

/** In the order of the file, the first twenty. */
export function render(file: string, text: string, lines: Lines, mistakes: readonly Mistake[]): string {
  const sorted = mistakes.toSorted((a, b) => a.offset - b.offset)
  const all = text.split(/\r\n|\n/)
  const blocks = sorted.slice(0, shown).map(mistake => block(file, all, lines, mistake))
  const more = sorted.length - shown
  return [...blocks, ...(more > 0 ? [`${file}: and ${more} more`] : [])].join('\n')
}

function block(file: string, all: readonly string[], lines: Lines, { offset, path, message, first }: Mistake): string {
  const { line, col } = placeOf(lines, offset)
  const where = path.length === 0 ? '' : `${dotted(path)}: `
  const also = first === undefined ? '' : ` (first at line ${placeOf(lines, first).line})`
  const head = `${file}:${line}:${col}: ${where}${message}${also}`.replace(/\p{Cc}/gu, ' ')
  const raw = all[line - 1] ?? ''
  return raw === '' ? head : `${head}\n${excerpt(raw, col)}`
}

/** The parser gives line 0 for an empty file. */
function placeOf(lines: Lines, offset: number): { line: number; col: number } {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), col: Math.max(col, 1) }
}

/** `sources[2].registers[0].unit` */
export function dotted(path: Path): string {
  return path.map((p, n) => (typeof p === 'number' ? `[${p}]` : n === 0 ? p : `.${p}`)).join('')
}

function excerpt(raw: string, col: number): string {
  const start = Math.max(0, col - 1 - Math.floor(width / 2))
  const from = raw.length > width ? start : 0
  const line = redact(raw)
    .slice(from, from + width)
    .replace(/\p{Cc}/gu, ' ')
  const before = line.slice(0, col - 1 - from).replace(/[^\p{ASCII}]/gu, c => (wide.test(c) ? '\u3000' : ' '))
  return `  ${line}\n  ${before.replace(/[^\u3000]/g, ' ')}^`
}

/** Characters that terminals draw two columns wide, roughly: CJK and fullwidth forms. */
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/

/** A line without the secret it may hold: an error message ends up in logs. */
function redact(line: string): string {
  const key = /([\w-]{1,64})["']?\s{0,9}:(?=\s)/g
  for (const m of line.matchAll(key)) {
    if (isSecret(m[1]!)) return `${line.slice(0, m.index + m[0].length)} ***`
  }
  return hideSecrets(line)
}
