// The words after a subcommand: options and positionals, read strictly, with the nearest option where one is unknown.

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '../core/shape.ts'

/** The command line is wrong: status 2. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

type Options = NonNullable<ParseArgsConfig['options']>

/** @throws Usage on an unknown option, a missing value, or other words than `positionals` names; `more` may follow them. */
export function readArguments<const O extends Options>(
  args: readonly string[],
  options: O,
  positionals: readonly string[] = [],
  more = false,
) {
  const parsed = parse(args, options)
  const missing = positionals[parsed.positionals.length]
  if (missing !== undefined) throw new Usage(`${missing} is missing`)
  const extra = parsed.positionals[positionals.length]
  if (extra !== undefined && !more) throw new Usage(`unexpected ${JSON.stringify(extra)}`)
  return parsed
}

function parse<const O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    const unknown = /^Unknown option '(-[^']*)'/.exec(cause.message)?.[1]
    if (unknown === undefined) throw new Usage(cause.message.split('. ')[0]!, { cause })
    const near = nearest(
      unknown,
      Object.keys(options).map(name => `--${name}`),
    )
    throw new Usage(`unknown option ${unknown}${near === undefined ? '' : `; did you mean ${near}?`}`, { cause })
  }
}
