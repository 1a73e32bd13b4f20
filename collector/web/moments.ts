// How an incident went: its findings as they begin and end, for the page and for the terminal.

import type { FindingAnswer } from '../api/answers.ts'

export interface Moment {
  readonly time: number
  readonly ends: boolean
  readonly finding: FindingAnswer
}

export function momentsOf(findings: readonly FindingAnswer[]): readonly Moment[] {
  return findings
    .flatMap((finding): Moment[] => [
      { time: finding.since, ends: false, finding },
      ...(finding.until === null ? [] : [{ time: finding.until, ends: true, finding }]),
    ])
    .sort((a, b) => a.time - b.time)
}
