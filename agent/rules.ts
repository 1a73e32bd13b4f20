// Rules at the edge: they see what sources emit as soon as it is durable, and act here, whoever is away. docs/rules.md.

import { reason } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { type Say, troubles } from '../core/log.ts'
import type { Observation, Series } from '../core/model.ts'
import { isMap } from '../core/shape.ts'
import type { Actions } from './act.ts'
import type { Keep } from './keep.ts'
import { Deeds, type DeedsOptions } from './rules/deeds.ts'
import type { RuleConfig } from './rules/options.ts'
import { type Past, RuleRunner, type Watching } from './rules/rule-runner.ts'
import type { Emit } from './source.ts'
import type { Teller } from './teller.ts'

/** How often is asked what lasts and what is missing, ms. */
const tick = 100

export interface RulesOptions {
  readonly rules: readonly RuleConfig[]
  readonly actions: Actions
  readonly publish: DeedsOptions['publish']
  readonly teller: Teller
  readonly keep: Keep
  readonly host: Pick<Host, 'now' | 'monotonic' | 'sleep'>
  readonly say: Say
  readonly signal: AbortSignal
}

export interface Rules {
  /** Hands on what `source` emits, and then lets the rules see it. */
  watching(source: string, emit: Emit): Emit
  /** Until the signal aborts. */
  run(): Promise<void>
}

export function openRules(options: RulesOptions): Rules {
  const pasts = new Map<string, Past>(Object.entries(read(options.keep.load())))
  const { teller, host, signal, actions, publish } = options
  const kept = troubles(options.say)
  /** A rule acts also where the disk takes nothing any more. */
  const keepAll = (): void => {
    try {
      options.keep.save(JSON.stringify(Object.fromEntries(pasts)))
      kept('rules', undefined)
    } catch (error) {
      kept('rules', `what was done cannot be remembered: ${reason(error)}`)
    }
  }
  const runners = options.rules.map(config => {
    const deeds = new Deeds({ rule: config.name, actions, publish, teller, host, signal })
    const save = (past: Past): void => {
      pasts.set(config.name, past)
      keepAll()
    }
    return new RuleRunner({ config, deeds, teller, host, save, signal }, pasts.get(config.name) ?? { times: [] })
  })

  const watching = (source: string, emit: Emit): Emit => {
    // Sources make each series once: what a rule wants of it is asked once.
    const known = new WeakMap<Series, readonly Watching[]>()
    const watchingsOf = (series: Series): readonly Watching[] => {
      const made = known.get(series) ?? runners.flatMap(runner => runner.watch(source, series) ?? [])
      known.set(series, made)
      return made
    }
    const see = ({ samples }: Observation): void => {
      for (const { series, time, value } of samples) for (const see of watchingsOf(series)) see(time, value)
    }
    return async observation => {
      await emit(observation)
      see(observation)
    }
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const runner of runners) runner.tick()
      await host.sleep(tick, signal)
    }
    await Promise.all(runners.map(runner => runner.idle()))
  }
  return { watching, run }
}

/** Damaged or of rules that are gone: as good as none. */
function read(text: string | undefined): Record<string, Past> {
  if (text === undefined) return {}
  try {
    const raw: unknown = JSON.parse(text)
    const isPast = (one: unknown): boolean => isMap(one) && Array.isArray(one.times)
    return isMap(raw) ? (Object.fromEntries(Object.entries(raw).filter(([, one]) => isPast(one))) as never) : {}
  } catch {
    return {}
  }
}
