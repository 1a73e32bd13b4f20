// Escape sequences of text fields (v2.8.2, clause 2.7): what stands between two escape characters.

import { textOf } from './charset.ts'

/** MSH-1 and MSH-2, and the character set that \X..\ is in. Empty where a message defines no such delimiter. */
export interface Encoding {
  readonly field: string
  readonly component: string
  readonly repetition: string
  readonly escape: string
  readonly subcomponent: string
  /** From 2.7 on: what marks a text cut short. */
  readonly truncation: string
  readonly charset: string
}

/** What a command may ask for at most: lines to skip, characters to indent. */
const mostSpace = 100

/**
 * The text that is meant. Highlighting is left out, formatting becomes line breaks and spaces; sequences that switch the
 * character set (\C..\, \M..\) or are a site's own (\Z..\), and whatever is no sequence, stay as they are.
 */
export function unescaped(text: string, encoding: Encoding): string {
  const mark = encoding.escape
  if (mark === '' || !text.includes(mark)) return text
  let plain = ''
  let from = 0
  for (;;) {
    const start = text.indexOf(mark, from)
    const end = start < 0 ? -1 : text.indexOf(mark, start + 1)
    if (end < 0) return plain + text.slice(from)
    const meant = meaning(text.slice(start + 1, end), encoding)
    plain += text.slice(from, start)
    // What is no sequence is a lone escape character, and the next one may begin one.
    plain += meant ?? mark
    from = meant === undefined ? start + 1 : end + 1
  }
}

function meaning(sequence: string, encoding: Encoding): string | undefined {
  switch (sequence) {
    case 'F':
      return encoding.field
    case 'S':
      return encoding.component
    case 'T':
      return encoding.subcomponent
    case 'R':
      return encoding.repetition
    case 'E':
      return encoding.escape
    case 'P':
      return encoding.truncation
    case 'H':
    case 'N':
      return ''
  }
  if (/^X(?:[0-9A-Fa-f]{2})+$/.test(sequence)) return bytesMeant(sequence.slice(1), encoding.charset)
  if (/^(?:C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?|Z[^\r\n]{0,60})$/.test(sequence))
    return `${encoding.escape}${sequence}${encoding.escape}`
  return sequence.startsWith('.') ? formatted(sequence) : undefined
}

function bytesMeant(hex: string, charset: string): string {
  return textOf(Buffer.from(hex, 'hex'), charset === 'ascii' ? 'windows-1252' : charset)
}

/** Clause 2.7.6: formatting commands of FT, which devices also write into ST and TX. */
function formatted(command: string): string | undefined {
  const [, name = '', sign, count = '1'] = /^\.(br|sp|sk|ce|fi|nf|in|ti)([+-]?)(\d{0,6})$/.exec(command) ?? []
  const times = Math.min(Number(count || 1), mostSpace)
  if (name === 'br' || name === 'ce') return '\n'
  if (name === 'sp') return '\n'.repeat(times)
  if (name === 'sk') return ' '.repeat(times)
  return sign === undefined ? undefined : ''
}

/** A text as a field may hold it; without an escape character, what would delimit becomes a blank. */
export function escaped(text: string, encoding: Encoding): string {
  const { field, component, repetition, escape: mark, subcomponent } = encoding
  const letters = new Map([field, component, repetition, mark, subcomponent].map((one, n) => [one, 'FSRET'[n]]))
  return Array.from(text, one => {
    if (one < ' ') return ' '
    const letter = letters.get(one)
    return letter === undefined ? one : mark === '' ? ' ' : `${mark}${letter}${mark}`
  }).join('')
}
