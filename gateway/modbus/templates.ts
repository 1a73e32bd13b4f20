// Device templates: a file that says what a device's registers mean, with parameters, used by the name of the file. They are
// filled in while a configuration file is read, so that a daemon sees only registers.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chooser, patterns } from '../../agent/patterns.ts'
import type { Config } from '../../core/config.ts'
import type { Attributes } from '../../core/model.ts'
import {
  absolutePath,
  isMap,
  list,
  matching,
  nearest,
  type Of,
  object,
  optional,
  Place,
  type Problem,
  record,
  refined,
  type Shape,
  scalar,
  shape,
  text,
} from '../../core/shape.ts'
import { register, registers } from './registers.ts'
import { sunspecMap, sunspecPoint } from './sunspec-map.ts'

type Raw = Readonly<Record<string, unknown>>

const map = shape<Raw>('a map', raw => (isMap(raw) ? raw : undefined))

const name = matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'the name of a template, such as sdm630')

/** It may stand in many places. */
const value = refined(scalar, (v, place) => {
  if (typeof v === 'string' && v.length > 200) place.wrong('a parameter has at most 200 characters')
})

/** The keys of a source that say which template it uses, and how. */
export const templateOptions = {
  template: optional(name),
  /** Where templates beside the shipped ones are. */
  templates: optional(absolutePath, '/etc/fieldline/templates'),
  parameters: optional(record(value), {}),
  /** Keys to set in a register, by its name. */
  adjust: optional(record(map), {}),
  /** Which of a template's registers are read, by name. */
  ...patterns,
} as const

/** What makes no sense where no template was filled in. */
export function checkUnused(used: Of<typeof templateOptions>, place: Place): void {
  if (used.template !== undefined)
    place.at('template').wrong('templates are filled in only where a configuration file is read')
  const { parameters, adjust, include, exclude } = used
  const said = { parameters, adjust, include, exclude }
  for (const [key, value] of Object.entries(said)) {
    if (value !== undefined && Object.keys(value).length > 0)
      place.at(key).wrong('this is about a template, and there is none')
  }
}

type Use = Of<typeof templateOptions> & { readonly template: string }
const use = object(templateOptions)

const parameter = object({ about: text, default: optional(value) }, 'a parameter')

/** A template's file. What its registers hold is checked when the parameters stand in their places. */
const head = object({
  /** Which device it is for. */
  template: text,
  /** Where its facts are from: the manual. */
  source: text,
  parameters: optional(record(parameter), {}),
  registers: optional(list(map, 10_000), []),
  sunspec: optional(map),
})
const whole = object({ ...head.fields!, registers: optional(registers, []), sunspec: optional(sunspecMap) })

/** Beside this file, and beside the bundle that is made of it. */
const shipped = fileURLToPath(new URL('./templates/', import.meta.url))

/**
 * A source's options with what its template says in the place of the template. Mistakes in how it is used go to `place`.
 * @throws ConfigError, made by `read`, for mistakes in the template's own file.
 */
export function fillIn(raw: Raw, place: Place, read: (file: string) => Config): Raw {
  if (raw.template === undefined) return raw
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !Object.hasOwn(templateOptions, key)))
  // What was wrong with the template is told; that there is nothing to read then is not worth telling.
  const none = { ...rest, sunspec: { models: [] } }
  const before = place.problems.length
  const asked = use.read(raw, place.sharing(Object.keys(raw))) as Use
  if (place.problems.length > before) return none
  const folders = [asked.templates, shipped]
  const file = folders.map(folder => join(folder, `${asked.template}.yaml`)).find(path => existsSync(path))
  if (file === undefined) {
    place.at('template').wrong(unknown(asked.template, folders))
    return none
  }
  const config = read(file)
  const values = valuesOf(config, asked, place)
  if (place.problems.length > before) return none
  const { registers, sunspec } = adjusted(filled(config, values), asked, place)
  const own = Array.isArray(raw.registers) ? (raw.registers as readonly unknown[]) : []
  return { ...rest, registers: [...own, ...registers], ...(sunspec && { sunspec }) }
}

/** The names of the templates in these folders. */
export function templatesIn(folders: readonly string[]): readonly string[] {
  const files = folders.filter(folder => existsSync(folder)).flatMap(folder => readdirSync(folder))
  return [...new Set(files.filter(f => f.endsWith('.yaml')).map(f => f.slice(0, -5)))].sort()
}

function unknown(wanted: string, folders: readonly string[]): string {
  const known = templatesIn(folders)
  const near = nearest(wanted, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
  return `there is no template ${wanted} in ${folders.join(' or ')}; ${hint}`
}

interface Filled {
  readonly registers: readonly Raw[]
  readonly sunspec?: Raw & { readonly models: readonly (Raw & { readonly points: readonly Raw[] })[] }
}

/** The template's parameters, as the source gives them or as they usually are. */
function valuesOf(config: Config, { template, parameters }: Use, place: Place): Attributes {
  const declared = config.check(head).parameters
  const values: Record<string, Attributes[string]> = {}
  for (const [key, { about, default: usual }] of Object.entries(declared)) {
    const value = parameters[key] ?? usual
    if (value === undefined) place.at('parameters').wrong(`template ${template} needs the parameter ${key}: ${about}`)
    else values[key] = value
  }
  for (const key of Object.keys(parameters)) {
    if (Object.hasOwn(declared, key)) continue
    const known = hint(key, Object.keys(declared))
    place.at('parameters').at(key).wrongKey(`template ${template} has no parameter ${key}${known}`)
  }
  return values
}

/** A template's registers with the parameters in their places, checked. */
function filled(config: Config, values: Attributes): Filled {
  const problems: Problem[] = []
  const raw = config.plain as Raw
  const { registers, sunspec } = raw
  const all = { ...raw, ...(substituted({ registers, sunspec }, values, new Place([], problems)) as Raw) }
  config.with(all, problems).check(whole)
  // A key with nothing behind it is null.
  return { ...all, registers: all.registers ?? [] } as Filled
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  if (near !== undefined) return `; did you mean ${near}?`
  return known.length === 0 ? '' : `; it has ${known.join(', ')}`
}

/** `${name}` in texts; a text that is nothing else becomes the value itself, be it a number. */
function substituted(raw: unknown, values: Attributes, place: Place): unknown {
  if (Array.isArray(raw)) return raw.map((item, n) => substituted(item, values, place.at(n)))
  if (isMap(raw))
    return Object.fromEntries(Object.entries(raw).map(([key, v]) => [key, substituted(v, values, place.at(key))]))
  if (typeof raw !== 'string') return raw
  const only = /^\$\{(\w+)\}$/.exec(raw)?.[1]
  const given = (key: string): Attributes[string] => {
    if (Object.hasOwn(values, key)) return values[key]!
    place.wrong(`there is no parameter ${key}${hint(key, Object.keys(values))}`)
    return ''
  }
  return only === undefined ? raw.replace(/\$\{(\w+)\}/g, (_, key: string) => String(given(key))) : given(only)
}

/** What of the template is read, with what the source wants different. */
function adjusted({ registers, sunspec }: Filled, { adjust, ...chosen }: Use, place: Place): Filled {
  const isChosen = chooser(chosen, [])
  const names = new Set<string>()
  const wrong = new Set<string>()
  const changed = (r: Raw, checked: Shape<unknown>): Raw => {
    const key = String(r.name)
    names.add(key)
    if (!Object.hasOwn(adjust, key) || wrong.has(key)) return r
    const both = merged(r, adjust[key]!)
    const before = place.problems.length
    checked.read(both, place.at('adjust').at(key))
    if (place.problems.length === before) return both
    // Once: three phases have one name.
    wrong.add(key)
    return r
  }
  const all = (some: readonly Raw[], checked: Shape<unknown>): readonly Raw[] =>
    some.filter(r => isChosen(String(r.name))).map(r => changed(r, checked))
  const models = sunspec?.models.map(model => ({ ...model, points: all(model.points, sunspecPoint) }))
  const result = { registers: all(registers, register), ...(sunspec && { sunspec: { ...sunspec, models: models! } }) }
  for (const key of Object.keys(adjust)) {
    if (!names.has(key))
      place
        .at('adjust')
        .at(key)
        .wrongKey(`the template has no register ${key}${hint(key, [...names])}`)
  }
  return result
}

function merged(r: Raw, change: Raw): Raw {
  const both = { ...r, ...change }
  return isMap(r.attributes) && isMap(change.attributes)
    ? { ...both, attributes: { ...r.attributes, ...change.attributes } }
    : both
}
