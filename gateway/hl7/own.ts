// Texts that outlive their message. For V8 a part of a text is a view of the whole: whoever remembers thirty characters of
// a message keeps all of it.

/** The same text with storage of its own. */
export function own(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
