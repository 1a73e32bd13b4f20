// Reading from the API.

type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** @throws Error with the API's own words. */
export async function read<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  const text = given.length > 0 ? `?${new URLSearchParams(given)}` : ''
  const answer = await fetch(`${path}${text}`, { signal: signal ?? null })
  const body: unknown = await answer.json()
  if (!answer.ok) throw new Failure(answer.status, (body as { error: string }).error)
  return body as T
}

/** Asks for a change. @throws Error with the API's own words. */
export async function change(method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
  const sent = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const answer = await fetch(path, { method, ...sent })
  if (!answer.ok) throw new Failure(answer.status, ((await answer.json()) as { error: string }).error)
}

export class Failure extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
