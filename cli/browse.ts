// `fieldline browse opc.tcp://...`: walks the address space of an OPC UA server and writes a configuration that reads what
// is there, for a person to go on with.

import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { dotted } from '../core/config-text.ts'
import { Place } from '../core/shape.ts'
import type { OpcUaOptions } from '../gateway/opcua/options.ts'
import type { Tour } from '../gateway/opcua/tour.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { texts } from './texts.ts'

/** Nodes looked at, and how long, ms. */
const most = { nodes: 150_000, time: 600_000 } as const
/** How often a person sees how far it is, ms. */
const blink = 200

const known = {
  /** The Objects folder (OPC 10000-6, Annex A). */
  from: { type: 'string', default: 'i=85' },
  depth: { type: 'string', default: '20' },
  save: { type: 'string' },
  insecure: { type: 'boolean', default: false },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  certificates: { type: 'string', default: '.fieldline/opcua' },
} as const

type Values = ReturnType<typeof readArguments<typeof known>>['values']

export const browse: Command = {
  async run(args) {
    const { values, positionals } = readArguments(args, known, ['URL'])
    const { said } = texts(process.env)
    const { save } = values
    if (save !== undefined && existsSync(save)) throw new Usage(said.fileExists(save))
    const source = sourceOf(positionals[0]!, values)
    const found = await look(await checked(source), values)
    const text = await configuration(source, found)
    if (save === undefined) print(text.trimEnd())
    else writeFileSync(save, text, { flag: 'wx' })
    if (save !== undefined) process.stderr.write(`${said.browseSaved(save)}\n`)
    return status.ok
  },
}

/** The source as a configuration has it, but for its nodes. */
function sourceOf(url: string, { insecure, user, 'password-file': file }: Values): Record<string, unknown> {
  return {
    url,
    ...(insecure && { security: { mode: 'None' } }),
    ...((user !== undefined || file !== undefined) && { user: { name: user, password_file: file && resolve(file) } }),
  }
}

async function checked(source: Record<string, unknown>): Promise<OpcUaOptions> {
  const { opcUaOptions } = await import('../gateway/opcua/options.ts')
  const place = new Place()
  const options = opcUaOptions.read({ ...source, nodes: [] }, place)
  const wrong = place.problems.map(({ path, message }) => `${dotted(path)}: ${message}`).join('\n')
  if (wrong !== '') throw new Usage(wrong)
  return options
}

async function look(options: OpcUaOptions, { from, depth, certificates }: Values): Promise<Tour> {
  const { tour } = await import('../gateway/opcua/tour.ts')
  const { nodeIdText } = await import('../gateway/opcua/node-id-text.ts')
  const place = new Place()
  nodeIdText.read(from, place)
  if (place.problems.length > 0) throw new Usage(`--from ${from}: ${place.problems[0]!.message}`)
  if (!/^[1-9]\d{0,2}$/.test(depth)) throw new Usage(`--depth ${depth}: expected a whole number from 1 to 999`)
  const line = progressLine()
  const bounds = { nodes: most.nodes, depth: Number(depth) }
  const found = await tour(options, resolve(certificates), from, bounds, AbortSignal.timeout(most.time), line.show)
  line.end()
  return found
}

async function configuration(source: Record<string, unknown>, found: Tour): Promise<string> {
  const { said } = texts(process.env)
  const { skeleton } = await import('../gateway/opcua/skeleton.ts')
  const { url, ...options } = source
  const notes = [
    said.browsed(String(url), found.visited, found.variables.length),
    ...(found.left === undefined ? [] : [said.browseLeft[found.left]]),
    ...(found.refused === 0 ? [] : [said.browseRefused(found.refused)]),
  ]
  for (const note of notes) process.stderr.write(`${note}\n`)
  // Whoever has alarms wants to hear of them; without any the key would only cost.
  const more = found.conditions === 0 ? options : { ...options, alarms: {} }
  return skeleton({ url: String(url), options: more, variables: found.variables, notes })
}

/** On a terminal one line that is written anew; elsewhere nothing. */
function progressLine(): { show(visited: number, variables: number): void; end(): void } {
  const { said } = texts(process.env)
  if (!process.stderr.isTTY) return { show: () => {}, end: () => {} }
  let shownAt = Number.NEGATIVE_INFINITY
  return {
    show: (visited, variables) => {
      if (performance.now() - shownAt < blink) return
      shownAt = performance.now()
      process.stderr.write(`\r\x1b[K${said.browsing(visited, variables)}`)
    },
    end: () => process.stderr.write('\r\x1b[K'),
  }
}
