// One host of the fixtures of all sources, as a case folder of the source contract: of each source its first case, in the
// order of the list. What two of them have is the first one's.

import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Source } from '../../../agent/source.ts'

type Json = Readonly<Record<string, unknown>>

/** The first case of each source that has any. */
export function firstCases(sources: readonly Source<unknown>[], fixtures: string): ReadonlyMap<string, string> {
  const folders = sources.map(({ name }) => [name, join(fixtures, name)] as const).filter(([, f]) => existsSync(f))
  return new Map(folders.map(([name, folder]) => [name, join(folder, readdirSync(folder).sort()[0]!)]))
}

export function optionsOf(one: string): Json {
  return json(join(one, 'options.json')) ?? {}
}

/** Writes the case that is all of these at once. */
export function together(cases: ReadonlyMap<string, string>, to: string): void {
  mkdirSync(join(to, 'later'), { recursive: true })
  const statfs: Json[] = []
  const commands: Json[] = []
  const laterCommands: Json[] = []
  for (const [name, one] of cases) {
    overlay(join(one, 'input'), join(to, 'input'))
    overlay(join(one, existsSync(join(one, 'later')) ? 'later' : 'input'), join(to, 'later'))
    overlay(one, join(to, name))
    statfs.push(json(join(one, 'statfs.json')) ?? {})
    const first = answers(one, 'commands.json', name)
    commands.push(first ?? {})
    laterCommands.push(answers(one, 'laterCommands.json', name) ?? first ?? {})
  }
  const write = (name: string, parts: readonly Json[]): void =>
    writeFileSync(join(to, name), JSON.stringify(Object.assign({}, ...parts.toReversed())))
  write('statfs.json', statfs)
  write('commands.json', commands)
  write('laterCommands.json', laterCommands)
}

/** What programs answer, found in the folder of their source. */
function answers(one: string, file: string, name: string): Json | undefined {
  const told = json(join(one, file)) as Readonly<Record<string, { readonly stdout?: string }>> | undefined
  if (told === undefined) return undefined
  return Object.fromEntries(
    Object.entries(told).map(([line, answer]) => [
      line,
      answer.stdout === undefined ? answer : { ...answer, stdout: join(name, answer.stdout) },
    ]),
  )
}

/** Adds what is not there yet. */
function overlay(from: string, onto: string): void {
  mkdirSync(onto, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, place] = [join(from, entry.name), join(onto, entry.name)]
    const there = lstatSync(place, { throwIfNoEntry: false })
    if (!entry.isDirectory() && there === undefined) cpSync(source, place, { verbatimSymlinks: true })
    else if (entry.isDirectory() && there?.isDirectory() !== false) overlay(source, place)
  }
}

function json(file: string): Json | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Json) : undefined
}
