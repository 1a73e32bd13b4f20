// How a daemon comes by its configuration: `fieldline check --resolved FILE` in a child parses and checks the YAML and
// prints plain JSON. The parser's memory ends with the child; the daemon keeps only the light shapes.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Place, type Shape } from './shape.ts'

/** 100,000 registers out of templates take some seconds and 10 MB. */
const limits = { timeout: 60_000, maxBuffer: 64 * 1024 ** 2, killSignal: 'SIGKILL' } as const

/**
 * The checked options of `daemon` in `file`. `command` is the path of the `fieldline` that runs now, `shapeFor` gives the shape
 * for what the file holds.
 * Throws with the child's own text, which names file, line and column.
 */
export async function loadConfig<T>(
  command: string,
  daemon: string,
  file: string,
  shapeFor: (raw: unknown) => Promise<Shape<T>>,
): Promise<T> {
  const raw: unknown = JSON.parse(await resolved(command, daemon, file))
  const place = new Place()
  const options = (await shapeFor(raw)).read(raw, place)
  const problem = place.problems[0]
  if (problem) throw new Error(`${file}: ${problem.path.join('.')}: ${problem.message}`)
  return options
}

async function resolved(command: string, daemon: string, file: string): Promise<string> {
  const args = [...process.execArgv, command, 'check', '--resolved', '--for', daemon, '--', file]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, limits)
    return stdout
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
    // The child's text is whole; a cause would repeat it.
    if (said !== '') throw new Error(said)
    throw new Error(`${file}: checking it failed`, { cause })
  }
}
