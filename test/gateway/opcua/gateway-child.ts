// A child of the kill test: a gateway with one OPC UA source that tells which values are in its spool, and stands still,
// where it is told to, right before or right after that. Arguments: folder, broker url, server url.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { agentConfig } from '../../../agent/config.ts'
import { startEdge } from '../../../agent/main.ts'
import type { Emit, Source } from '../../../agent/source.ts'
import { uplinks } from '../../../agent/uplinks/index.ts'
import { log } from '../../../core/log.ts'
import { Place } from '../../../core/shape.ts'
import type { OpcUaOptions } from '../../../gateway/opcua/options.ts'
import { opcua } from '../../../gateway/sources/opcua.ts'

/** Where it is to stop: at what has at least as many samples of the node. */
export interface Halt {
  readonly when: 'before' | 'after'
  readonly least: number
}

const [folder, broker, url] = process.argv.slice(2) as [string, string, string]
let halt: Halt | undefined

/** Says so, and does nothing more until it is killed. */
async function stand(): Promise<never> {
  process.send?.('halted')
  return new Promise(() => undefined)
}

function halting(emit: Emit): Emit {
  return async observation => {
    const own = observation.samples.filter(({ series }) => series.name === 'level').map(({ value }) => value)
    const meant = halt !== undefined && own.length >= halt.least ? halt.when : undefined
    if (meant === 'before') await stand()
    await emit(observation)
    if (own.length > 0) process.send?.(own)
    if (meant === 'after') await stand()
  }
}

const source: Source<OpcUaOptions> = {
  ...opcua,
  open: (options, at) => {
    const running = opcua.open(options, at)
    return { run: (emit, signal) => running.run(halting(emit), signal) }
  },
}

const config = agentConfig([source], uplinks).read(
  {
    daemon: 'agent',
    node: 'line',
    state: join(folder, 'line'),
    sources: [
      {
        type: 'opcua',
        name: 'plc',
        url,
        security: { folder: join(folder, 'certificates'), trust_first: true },
        interval: '100ms',
        sampling: '0ms',
        queue: 5000,
        timeout: '5s',
        nodes: [{ name: 'level', node: 'nsu=urn:fieldline:simulated-line;s=Tank.Level' }],
      },
    ],
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  },
  new Place(),
)
const ending = new AbortController()
const { spool, stop } = await startEdge(config, [source], log(), ending.signal)
process.on('message', async (message: Halt | 'finish') => {
  if (message !== 'finish') {
    halt = message
    return
  }
  ending.abort()
  while (spool.stats().envelopes > 0) await delay(20)
  await stop()
  process.exit(0)
})
// An orphan would go on reading.
process.on('disconnect', () => process.exit(1))
