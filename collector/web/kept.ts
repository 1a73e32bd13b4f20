// What the page remembers of things that begin and end: a bounded number, open ones longest.

interface Thing {
  readonly id: string
  readonly until: number | null
}

/** What is known and told, by id; beyond `most` what ended first goes first, and open ones only where nothing else is left. */
export function keptOf<T extends Thing>(
  known: ReadonlyMap<string, T>,
  told: readonly T[],
  most: number,
): Map<string, T> {
  const all = new Map([...known, ...told.map(thing => [thing.id, thing] as const)])
  if (all.size > most) for (const { id } of [...all.values()].sort(byEnd).slice(0, all.size - most)) all.delete(id)
  return all
}

function byEnd(a: Thing, b: Thing): number {
  if (a.until === b.until) return 0
  return (a.until ?? Number.POSITIVE_INFINITY) - (b.until ?? Number.POSITIVE_INFINITY)
}
