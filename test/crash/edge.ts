// A child of the crash proof: an edge whose one source writes down, after each `emit`, which samples it was told are safe.
// Arguments: folder, broker url, node, incarnation. Every value it ever makes is another one, over all incarnations.

import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { agentConfig } from '../../agent/config.ts'
import { startEdge } from '../../agent/main.ts'
import type { Source } from '../../agent/source.ts'
import { uplinks } from '../../agent/uplinks/index.ts'
import { log } from '../../core/log.ts'
import type { Series } from '../../core/model.ts'
import { object, Place } from '../../core/shape.ts'

const [folder, broker, node, incarnation] = process.argv.slice(2) as [string, string, string, string]
const toldFile = join(folder, `${node}.told`)
const series = [0, 1, 2].map((n): Series => ({ name: 'witness', unit: '1', kind: 'gauge', attributes: { n } }))
const valuesAnIncarnation = 1_000_000
/** What is on its way into the spool does not count there yet. */
let emitting = false

const witness: Source<unknown> = {
  name: 'witness',
  options: object({}),
  metrics: undefined,
  open: () => ({
    async run(emit, signal) {
      for (let n = Number(incarnation) * valuesAnIncarnation; !signal.aborted; n += series.length) {
        const samples = series.map((s, i) => ({ series: s, time: Date.now(), value: n + i }))
        emitting = true
        await emit({ samples, events: [] })
        emitting = false
        appendFileSync(toldFile, `${samples.map(s => s.value).join('\n')}\n`)
        await delay(Math.random() * 8)
      }
    },
  }),
}

mkdirSync(folder, { recursive: true })
const config = agentConfig([witness], uplinks).read(
  {
    daemon: 'agent',
    node,
    state: join(folder, node),
    sources: [{ type: 'witness' }],
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  },
  new Place(),
)
const stop = new AbortController()
const { spool, stop: drain } = await startEdge(config, [witness], log(), stop.signal)
process.on('message', async () => {
  stop.abort()
  while (emitting || spool.stats().envelopes > 0) await delay(20)
  await drain()
  process.exit(0)
})
// An orphan would go on writing where the next run looks.
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
