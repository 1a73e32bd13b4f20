// Text in aligned columns; CJK characters take two.

/** Rows of equal length; numbers of `right` columns end flush. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = rows[0]?.map((_, n) => Math.max(...rows.map(row => columns(row[n]!)))) ?? []
  return rows
    .map(row =>
      row
        .map((cell, n) => pad(cell, widths[n]!, right.includes(n)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(width - columns(cell))
  return right ? space + cell : cell + space
}

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/

function columns(text: string): number {
  let width = 0
  for (const c of text) width += wide.test(c) ? 2 : 1
  return width
}

/** As much of the text as so many columns hold. */
export function clipped(text: string, width: number): string {
  if (columns(text) <= width) return text
  let [clip, used] = ['', 0]
  for (const c of text) {
    used += columns(c)
    if (used > width) break
    clip += c
  }
  return clip
}
