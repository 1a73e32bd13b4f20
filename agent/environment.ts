// An agent configured by environment variables alone: FIELDLINE_* becomes what a file would say, checked by the same
// shapes. The names follow from the keys: `spool.max_bytes` is FIELDLINE_SPOOL_MAX_BYTES, the option `include` of the
// source `nic` FIELDLINE_NIC_INCLUDE, the key `brokers` of the uplink `mqtt` FIELDLINE_MQTT_BROKERS.

import type { Attributes } from '../core/model.ts'
import type { Kind } from '../core/parts.ts'
import { type Fields, nearest, type Path, Place, type Shape } from '../core/shape.ts'
import type { EdgeConfig } from './config.ts'

const prefix = 'FIELDLINE_'

/** What a sidecar reads where FIELDLINE_SOURCES does not say: its own cgroup, the pod's processes and network. */
const usualSources = ['cgroup', 'process', 'nic']

export type Environment = Readonly<Record<string, string | undefined>>

export interface FromEnvironment {
  /** What a file with the same meaning would hold. */
  readonly plain: unknown
  readonly config: EdgeConfig
}

/** Whether the environment configures an agent. */
export function isConfigured(env: Environment): boolean {
  return Object.keys(env).some(name => name.startsWith(prefix))
}

interface Known {
  readonly shape: Shape<EdgeConfig>
  readonly sources: readonly Kind[]
  readonly uplinks: readonly Kind[]
}

/** A variable, where its value goes, and what is expected there. */
interface Variable {
  readonly name: string
  readonly path: Path
  readonly shape: Shape<unknown>
}

/**
 * `own` are attributes that the container's own files tell; what is written wins over them.
 * @throws Error with every mistake, each beginning with the variable's name.
 */
export function fromEnvironment(given: Environment, known: Known, own: Attributes = {}): FromEnvironment {
  // An empty one is as good as none: so a manifest can leave it open.
  const env = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  const mistakes: string[] = []
  const types = listed(env.FIELDLINE_SOURCES) ?? usualSources
  const uplinks = known.uplinks.filter(kind => isGiven(env, kind)).map(kind => kind.name)
  const variables = variablesOf(known, types, uplinks)
  sayUnknown(env, known, variables, mistakes)
  const plain = {
    daemon: 'agent',
    metrics_readings: true,
    attributes: attributesOf(env, own, mistakes),
    sources: types.map(type => ({
      type,
      ...(env.FIELDLINE_INTERVAL !== undefined && { interval: env.FIELDLINE_INTERVAL }),
    })),
    uplinks: uplinks.map(type => ({ type })),
  }
  for (const { name, path, shape } of variables) {
    const text = env[name]
    if (text !== undefined) put(plain, path, fitting(shape, text))
  }
  const place = new Place()
  const config = known.shape.read(plain, place)
  for (const { path, message } of place.problems) mistakes.push(`${nameOf(path, variables, env)}: ${message}`)
  if (mistakes.length === 0 && uplinks.length === 0 && config.metrics === undefined) {
    mistakes.push('FIELDLINE_METRICS: it is off and there is no uplink: nobody would see what is read')
  }
  if (mistakes.length > 0) throw new Error([...new Set(mistakes)].join('\n'))
  return { plain, config }
}

function variablesOf(
  { shape, sources, uplinks }: Known,
  types: readonly string[],
  given: readonly string[],
): Variable[] {
  const own = ['daemon', 'attributes', 'sources', 'uplinks']
  const all: Variable[] = []
  const add = (fields: Fields | undefined, words: readonly string[], path: Path): void => {
    for (const [key, field] of Object.entries(fields ?? {})) {
      if (path.length === 0 && own.includes(key)) continue
      if (field.fields !== undefined) add(field.fields, [...words, key], [...path, key])
      else all.push({ name: variable(...words, key), path: [...path, key], shape: field })
    }
  }
  add(shape.fields, [], [])
  for (const [n, type] of types.entries()) add(optionsOf(sources, type), [type], ['sources', n])
  for (const [n, type] of given.entries()) add(optionsOf(uplinks, type), [type], ['uplinks', n])
  return all
}

function optionsOf(kinds: readonly Kind[], type: string): Fields | undefined {
  return kinds.find(kind => kind.name === type)?.options.fields
}

/** `disk-io`, `include` becomes FIELDLINE_DISK_IO_INCLUDE. */
function variable(...words: readonly string[]): string {
  return prefix + words.join('_').replaceAll('-', '_').toUpperCase()
}

/** An uplink is there as soon as one of its keys is. */
function isGiven(env: Environment, { name, options }: Kind): boolean {
  return Object.keys(options.fields ?? {}).some(key => env[variable(name, key)] !== undefined)
}

const ofAll = ['FIELDLINE_SOURCES', 'FIELDLINE_INTERVAL', 'FIELDLINE_ATTRIBUTES']

function sayUnknown(env: Environment, known: Known, variables: readonly Variable[], mistakes: string[]): void {
  const here = new Set([...ofAll, ...variables.map(v => v.name)])
  const everywhere = variablesOf(
    known,
    known.sources.map(s => s.name),
    known.uplinks.map(u => u.name),
  ).map(v => v.name)
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || here.has(name)) continue
    if (everywhere.includes(name)) mistakes.push(`${name}: its source is not among those of FIELDLINE_SOURCES`)
    else mistakes.push(`${name}: ${hint(name, [...ofAll, ...everywhere])}`)
  }
}

function hint(name: string, known: readonly string[]): string {
  if (known.includes(`${name}_FILE`)) {
    return `a secret does not belong in the environment; name the file that holds it in ${name}_FILE`
  }
  const near = nearest(name, known)
  return near === undefined
    ? 'unknown variable; docs/sidecar.md has them all'
    : `unknown variable; did you mean ${near}?`
}

/** `a, b` */
function listed(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  return text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
}

/** A variable is a text; what it stands for is what the shape takes: the text, a number, true or false, a list. */
function fitting(shape: Shape<unknown>, text: string): unknown {
  const readings = [text, Number(text), text === 'true' ? true : text === 'false' ? false : undefined, listed(text)]
  const problems = (raw: unknown) => {
    const place = new Place()
    shape.read(raw, place)
    return place.problems
  }
  const given = readings.filter(raw => raw !== undefined)
  // Where nothing fits, a list with a wrong entry is nearer than a text.
  return given.find(raw => problems(raw).length === 0) ?? given.find(raw => problems(raw)[0]!.path.length > 0) ?? text
}

function put(plain: object, path: Path, value: unknown): void {
  let at = plain as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) {
    at[key] ??= {}
    at = at[key] as Record<string | number, unknown>
  }
  at[path.at(-1)!] = value
}

/** Of a problem's place the variable, else the one that names the whole list. */
function nameOf(path: Path, variables: readonly Variable[], env: Environment): string {
  const exact = variables.find(v => JSON.stringify(v.path) === JSON.stringify(path.slice(0, v.path.length)))
  if (exact !== undefined && env[exact.name] === undefined && path.at(-1) === 'interval') return 'FIELDLINE_INTERVAL'
  if (exact !== undefined) return exact.name
  if (path[0] === 'sources') return 'FIELDLINE_SOURCES'
  if (path[0] === 'uplinks') return 'FIELDLINE_*'
  return variable(...path.map(String))
}

/** Lowest first: the container's own files, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, FIELDLINE_ATTRIBUTES. */
function attributesOf(env: Environment, own: Attributes, mistakes: string[]): Attributes {
  const service = env.OTEL_SERVICE_NAME
  return {
    ...own,
    ...pairs('OTEL_RESOURCE_ATTRIBUTES', env, mistakes),
    ...(service ? { 'service.name': service } : {}),
    ...pairs('FIELDLINE_ATTRIBUTES', env, mistakes),
  }
}

/** `key=value,key=value`, values percent-encoded where they hold a comma or a blank, as OpenTelemetry has it. */
function pairs(name: string, env: Environment, mistakes: string[]): Attributes {
  const found: Record<string, string> = {}
  for (const pair of listed(env[name]) ?? []) {
    const at = pair.indexOf('=')
    const value = at > 0 ? decoded(pair.slice(at + 1).trim()) : undefined
    if (value === undefined) mistakes.push(`${name}: expected key=value,key=value, values percent-encoded`)
    else if (value !== '') found[pair.slice(0, at).trim()] = value
  }
  return found
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
