// What hardly ever changes is read once a minute.

/** Whether it is time again: true at the first call, and then once in `every` ms, whichever way the clock was stepped. */
export function seldom(every = 60_000): (time: number) => boolean {
  let last = Number.NEGATIVE_INFINITY
  return time => {
    if (Math.abs(time - last) < every) return false
    last = time
    return true
  }
}
