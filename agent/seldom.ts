// What changes slowly is read slowly: names, limits, sizes.

/** Whether it is time again: at first, and whenever `every` ms have passed. A clock that was stepped back makes it so too. */
export function seldom(every = 60_000): (time: number) => boolean {
  let last: number | undefined
  return time => {
    if (last !== undefined && Math.abs(time - last) < every) return false
    last = time
    return true
  }
}
