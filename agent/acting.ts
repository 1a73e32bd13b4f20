// What acts at an edge: orders that come from elsewhere, and rules. Loaded only where one of them is configured.

import { join } from 'node:path'
import type { Host } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Actions } from './act.ts'
import type { EdgeConfig } from './config.ts'
import { fileKeep } from './keep.ts'
import { openDesk } from './orders.ts'
import type { DeedsOptions } from './rules/deeds.ts'
import { openRules } from './rules.ts'
import type { Emit } from './source.ts'
import { teller } from './teller.ts'
import type { OrderDesk } from './uplink.ts'

export interface ActingOptions {
  readonly config: Pick<EdgeConfig, 'orders' | 'rules' | 'state'>
  readonly actions: Actions
  readonly emit: Emit
  readonly publish: DeedsOptions['publish']
  readonly host: Host
  readonly say: Say
  readonly signal: AbortSignal
}

export interface Acting {
  readonly orders: OrderDesk | undefined
  /** Lets the rules see what a source emits. */
  watching(source: string, emit: Emit): Emit
  /** Acts until the signal aborts; resolves when nothing is under way any more. */
  run(): Promise<void>
}

/** @throws Refused where the key of orders cannot be read. */
export function openActing(options: ActingOptions): Acting {
  const { config } = options
  const keep = (name: string) => fileKeep(join(config.state, `${name}.json`))
  const told = teller(options)
  const common = { ...options, teller: told }
  const desk = config.orders && openDesk({ ...common, config: config.orders, keep: keep('orders') })
  const rules = config.rules.length > 0 ? openRules({ ...common, rules: config.rules, keep: keep('rules') }) : undefined
  return {
    orders: desk,
    watching: (source, emit) => rules?.watching(source, emit) ?? emit,
    async run() {
      await rules?.run()
      await aborted(options.signal)
      await desk?.idle()
      await told.idle()
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
