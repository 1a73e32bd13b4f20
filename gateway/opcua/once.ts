// One reading of all nodes, for whoever wants to see whether a configuration is right.

import type { Surroundings } from '../../agent/source.ts'
import type { Observation } from '../../core/model.ts'
import { Draft } from './draft.ts'
import { Finder } from './finder.ts'
import { trackedNodes } from './nodes.ts'
import type { OpcUaOptions } from './options.ts'
import { Poll } from './poll.ts'
import { connect } from './session.ts'

export async function readOnce(
  options: OpcUaOptions,
  at: Surroundings,
  folder: string,
  signal: AbortSignal,
): Promise<Observation> {
  const nodes = trackedNodes(options.nodes, { ...options, source: at.name })
  const session = await connect(options, { folder, now: at.host.now }, signal)
  try {
    const poll = new Poll(options.timeout, 0)
    const finder = new Finder(nodes, at.name, at.say)
    const events = await finder.look(session, options.timeout, at.host.now(), poll.trying(session))
    const draft = new Draft({ now: at.host.now(), skew: session.skew(), maxSkew: options.max_skew })
    await poll.into(draft, session, nodes)
    const { samples, events: more } = draft.observation(at.name)
    return { samples, events: [...events, ...more] }
  } finally {
    await session.close(false)
  }
}
