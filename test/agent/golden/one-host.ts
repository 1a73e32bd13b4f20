// One host of the fixtures of all sources, as a case folder of the source contract: of each source its first case, in the
// order of the list. What two of them have is the first one's.

import {
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Source } from '../../../agent/source.ts'

type Json = Readonly<Record<string, unknown>>

/** The first case of each source that has any in the form of the contract. */
export function firstCases(sources: readonly Source<unknown>[], fixtures: string): ReadonlyMap<string, string> {
  const first = (name: string): readonly string[] =>
    globSync(join(fixtures, name, '*/expected.json'))
      .sort()
      .slice(0, 1)
  return new Map(sources.flatMap(({ name }) => first(name).map(file => [name, dirname(file)] as const)))
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
  if (!existsSync(from)) return
  mkdirSync(onto, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, place] = [join(from, entry.name), join(onto, entry.name)]
    const there = lstatSync(place, { throwIfNoEntry: false })
    if (entry.isDirectory() && there?.isDirectory() !== false) overlay(source, place)
    else if (entry.isSymbolicLink() && there === undefined) symlinkSync(readlinkSync(source), place)
    else if (entry.isFile() && there === undefined) copyFileSync(source, place)
  }
}

function json(file: string): Json | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Json) : undefined
}
