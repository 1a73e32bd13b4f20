// `fieldline test SOURCE`: one reading of one source, so that a person sees what would be sent; with --live, what comes
// until Ctrl-C, in place.

import { memoryKeep } from '../agent/keep.ts'
import type { Running, Source } from '../agent/source.ts'
import { dotted } from '../core/config-text.ts'
import { isHistogram } from '../core/distribution.ts'
import { realHost } from '../core/host.ts'
import { log, type Say } from '../core/log.ts'
import type { Distribution, Observation } from '../core/model.ts'
import { nearest, Place } from '../core/shape.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { attributesText, eventText } from './observation-text.ts'
import { table } from './table.ts'
import { texts } from './texts.ts'

const timeLimit = 30_000

export const test: Command = {
  async run(args) {
    const options = { config: { type: 'string' }, json: { type: 'boolean' }, live: { type: 'boolean' } } as const
    const { values, positionals } = readArguments(args, options, ['SOURCE'])
    const source = await (values.config === undefined
      ? byType(positionals[0]!)
      : byName(positionals[0]!, values.config))
    if (values.live) return (await import('./live.ts')).live(source, await opener(source), values.json === true)
    const observation = await read(source)
    print(values.json ? JSON.stringify(observation) : asText(observation, await originsOf(source.type)))
    return status.ok
  },
}

export interface Chosen {
  readonly type: string
  readonly name: string
  readonly options: unknown
  readonly root: string
}

async function allSources(): Promise<readonly Source<unknown>[]> {
  const [agent, gateway] = await Promise.all([
    import('../agent/sources/index.ts'),
    import('../gateway/sources/index.ts'),
  ])
  return [...agent.sources, ...gateway.sources]
}

/** A source with its defaults. */
async function byType(type: string): Promise<Chosen> {
  const sources = await allSources()
  const source = sources.find(s => s.name === type)
  if (source === undefined)
    throw unknown(
      type,
      sources.map(s => s.name),
    )
  const place = new Place()
  const options = source.options.read({}, place)
  const lacks = place.problems.map(({ path, message }) => `${dotted(path)}: ${message}`).join('\n')
  if (lacks !== '') throw new Usage(texts(process.env).said.needsOptions(type, lacks))
  return { type, name: type, options, root: '/' }
}

/** A source as a configuration has it. */
async function byName(name: string, file: string): Promise<Chosen> {
  const [{ checked }, { agentShape, gatewayShape }] = await Promise.all([import('./check.ts'), import('./daemons.ts')])
  const { daemon, config } = await checked(file)
  if (daemon === 'collector') throw new Usage(texts(process.env).said.noSources(file))
  const { sources, root } = config.check(await (daemon === 'agent' ? agentShape() : gatewayShape()))
  const part = sources.find(s => s.name === name) ?? sources.find(s => s.type === name)
  if (part === undefined)
    throw unknown(
      name,
      sources.map(s => s.name),
    )
  return { ...part, root }
}

function unknown(word: string, known: readonly string[]): Usage {
  const { said } = texts(process.env)
  const near = nearest(word, known)
  return new Usage(near === undefined ? said.unknownSource(word, known.join(', ')) : said.unknownSourceNear(word, near))
}

/** Opens the source, which says what it has to say to `say`, and keeps nothing. */
async function opener({ type, name, options, root }: Chosen): Promise<(say: Say) => Running> {
  const source = (await allSources()).find(s => s.name === type)!
  return say => source.open(options, { name, host: realHost(root), say, keep: memoryKeep() })
}

async function read(source: Chosen): Promise<Observation> {
  const running = (await opener(source))(log())
  if (running.once === undefined) throw new Error(texts(process.env).said.onlyListens(source.name))
  return running.once(AbortSignal.timeout(timeLimit))
}

/** The files and programs it reads: without any of them it has nothing to tell. */
async function originsOf(type: string): Promise<string> {
  const source = (await allSources()).find(s => s.name === type)!
  const declared = [...(source.metrics ?? []), ...(source.events ?? [])]
  return [...new Set(declared.map(d => d.origin))].join(', ')
}

function asText({ samples, distributions = [], events }: Observation, origins: string): string {
  const { said } = texts(process.env)
  if (samples.length + distributions.length + events.length === 0) return said.nothingRead(origins)
  const head = [said.column.name, said.column.attributes, said.column.value, said.column.unit]
  const rows = [...samples, ...distributions].map(({ series, value }) => [
    series.name,
    attributesText(series.attributes),
    typeof value === 'number' ? String(value) : distributionText(value),
    series.unit,
  ])
  const lines = rows.length > 0 ? [table([head, ...rows], [2])] : []
  return [...lines, ...events.map(eventText)].join('\n')
}

/** `4 sum 12.55, le 0.1: 1, 1: 1, +Inf: 2`: how many fell into each bucket alone. */
function distributionText(value: Distribution['value']): string {
  const { count, sum } = value
  const parts = isHistogram(value)
    ? value.counts.map((one, n) => `${n === 0 ? 'le ' : ''}${value.bounds[n] ?? '+Inf'}: ${one}`)
    : value.quantiles.map(({ quantile, value }) => `q${quantile}: ${value}`)
  return [`${count}${sum === undefined ? '' : ` sum ${sum}`}`, ...parts].join(', ')
}
