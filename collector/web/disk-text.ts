// A drive in words, for the page and for the terminal.

import type { DiskView } from '../api/view.ts'

const hoursInYear = 8766

export function percent(probability: number): string {
  return `${Number((probability * 100).toPrecision(2))} %`
}

export function yearsOf(hours: number): string {
  return (hours / hoursInYear).toFixed(1)
}

/** What it says itself, then what its score or its wear rests on, in the words of the API; a calm drive needs no reason. */
export function whyOf({ says, known, reasons, risk, sentence, wear }: DiskView): string {
  const score = known ? (risk === null ? [] : reasons) : wear === null ? [sentence] : []
  return [...says, ...score, ...(wear === null ? [] : [wear.sentence])].join('; ')
}
