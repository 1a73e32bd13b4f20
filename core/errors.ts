/** A permanent refusal: trying the same thing again cannot succeed. Every other error may be retried. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** The text of anything thrown, with the causes behind it. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `: ${reason(error.cause)}`
  return `${error.message}${cause}`
}
