// One sentence: which series of a host are out of the way, what they do, and what they usually do.

import { blameOf, features, type Member, of } from './host-member.ts'
import { at, type HostState, nameOf } from './host-state.ts'

const named = 3
const ranked = 5

interface Blamed {
  readonly name: string
  readonly member: Member
  readonly share: number
}

export function sayHost(state: HostState): {
  message: string
  evidence: Readonly<Record<string, number | string>>
} {
  const blamed = blame(state)
  const message = blamed
    .slice(0, named)
    .filter(({ share }, n) => n === 0 || share >= 0.1)
    .map(sentence)
    .join('; ')
  const evidence: Record<string, number | string> = {
    series: Object.keys(state.members).length,
    deviations: round(state.numbers[at.off]!),
    per_week: round(state.numbers[at.expected]!),
  }
  for (const [n, { name, share }] of blamed.slice(0, ranked).entries()) {
    evidence[`blame_${n + 1}`] = name
    evidence[`blame_${n + 1}_share`] = round(share)
  }
  return { message, evidence }
}

/**
 * The series by how much more than usual they have part in how unusual the host is, the greatest first; where none has
 * more (it was calmer than usual until a minute ago), by their part in the newest minute.
 */
export function blame({ members }: HostState): readonly Blamed[] {
  const more = rank(members, blameOf)
  return more.length > 0 ? more : rank(members, member => member[of.blame]!)
}

function rank(members: HostState['members'], by: (member: Member) => number): readonly Blamed[] {
  const all = Object.entries(members).flatMap(([key, member]) => {
    const blame = member[of.blame] === 0 ? 0 : by(member)
    return blame > 0 ? [{ name: nameOf(key), member, blame }] : []
  })
  const sum = all.reduce((sum, { blame }) => sum + blame, 0)
  all.sort((a, b) => b.blame - a.blame || (a.name < b.name ? -1 : 1))
  return all.map(({ name, member, blame }) => ({ name, member, share: blame / sum }))
}

function sentence({ name, member }: Blamed): string {
  const what = member[of.counter] === 0 ? name : `rate of ${name}`
  const value = plain(member[of.value]!)
  switch (features[member[of.by]!]!) {
    case 'jump':
      return `${what} is ${value}, about ${plain(member[of.fast]!)} in the minutes before`
    case 'movement':
      return `${what} is ${value} and moves by about ${plain(member[of.moves]!)} a minute, usually by ${plain(usualMoves(member))}`
    default:
      return `${what} is ${value}, usually ${usual(member)}`
  }
}

/** Two deviations about its mean, as far as it was ever seen. */
function usual(member: Member): string {
  const mean = member[of.mean + 2]!
  const wide = 2 * Math.sqrt([0, 1, 2].reduce((sum, n) => sum + member[of.variance + n]!, 0))
  return `${plain(Math.max(member[of.low]!, mean - wide))} to ${plain(Math.min(member[of.high]!, mean + wide))}`
}

function usualMoves(member: Member): number {
  return Math.exp(member[of.mean + 3]!)
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
