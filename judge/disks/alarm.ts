// When a trouble that comes and goes by the day begins and ends: it begins when it is reached, and ends, or becomes less
// grave, when it has not been reached for a while. Plain data, pure.

const grades = ['warning', 'critical'] as const
export type Grade = (typeof grades)[number]

export interface Alarm {
  readonly since: number
  /** When each grade was reached last. */
  reached: Partial<Record<Grade, number>>
}

/** What lasts is noted anew so many times in a hold, not with every report. */
const coarse = 8

/** The alarm after `grade` was reached at `time`, or none was; undefined: there is none, or it ended. */
export function sound(
  alarm: Alarm | undefined,
  time: number,
  grade: Grade | undefined,
  hold: number,
): Alarm | undefined {
  if (grade !== undefined) {
    const last = alarm?.reached[grade]
    if (alarm !== undefined && last !== undefined && time - last < hold / coarse) return alarm
    const below = grades.slice(0, grades.indexOf(grade) + 1)
    const now = Object.fromEntries(below.map(g => [g, time]))
    return { since: alarm?.since ?? time, reached: { ...alarm?.reached, ...now } }
  }
  return alarm !== undefined && gradeOf(alarm, time, hold) !== undefined ? alarm : undefined
}

/** The gravest that was reached within `hold`. */
export function gradeOf({ reached }: Alarm, time: number, hold: number): Grade | undefined {
  return grades.findLast(grade => reached[grade] !== undefined && time - reached[grade] < hold)
}
