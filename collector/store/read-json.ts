import type { Json } from '../../core/model.ts'

/** A JSON text of the file; undefined where damage made it something else. */
export function readJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
