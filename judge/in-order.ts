// Which samples follow the ones before them in time. What is dated earlier comes late and says nothing of the present; only where
// nothing else has come for a while was the clock set back that dates them, and they go on from there. Pure.

export interface Order {
  /** Time of the newest sample that followed. */
  last: number
  /** When the first of those came that are dated well before it, by the clock of whoever takes them; null: none did since. */
  behind: number | null
}

/** What is dated so little before the newest is only untidy, ms. */
const untidy = 10_000
/** Ms for which nothing else may have come. */
const lasting = 10_000

/** `on`: it follows. `back`: the clock was set back and goes on here. `late`: it is not to be judged. `now` is when it came. */
export function follow(order: Order, time: number, now: number, patience = lasting): 'on' | 'back' | 'late' {
  const isBack = time < order.last
  if (isBack && !isSetBack(order, time, now, patience)) return 'late'
  order.last = time
  order.behind = null
  return isBack ? 'back' : 'on'
}

function isSetBack(order: Order, time: number, now: number, patience: number): boolean {
  if (order.last - time <= untidy) return false
  order.behind = Math.min(order.behind ?? now, now)
  return now - order.behind >= patience
}
