// A child of the kill test: a gateway with one HL7 source, whose messages each become one sample that nobody else makes.
// Arguments: folder, broker url, port of the listener.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { agentConfig } from '../../../agent/config.ts'
import { startEdge } from '../../../agent/main.ts'
import type { Source } from '../../../agent/source.ts'
import { uplinks } from '../../../agent/uplinks/index.ts'
import { log } from '../../../core/log.ts'
import { Place } from '../../../core/shape.ts'
import { listen } from '../../../gateway/hl7/listener.ts'
import type { Mapper } from '../../../gateway/hl7/mapper.ts'
import { hl7 } from '../../../gateway/sources/hl7.ts'

const [folder, broker, port] = process.argv.slice(2) as [string, string, string]

/** The sender is the series, MSH-7 the time in ms, the control id the value: the same for whoever tells it again. */
const mapper: Mapper = {
  map({ header, controlId }) {
    const attributes = { sender: header.field(3).text }
    const series = { name: 'witness', unit: '1', kind: 'gauge', attributes } as const
    const samples = [{ series, time: Number(header.field(7).text), value: Number(controlId) }]
    return { observation: { samples, events: [] }, commit: async () => undefined, drop: () => undefined }
  },
}

const source: Source<ReturnType<typeof hl7.options.read>> = {
  ...hl7,
  open: (o, at) => ({
    run: (emit, signal) =>
      listen({ ...o, mapper }, { ...at, folder: at.folder }, emit, signal, () => process.send?.('ready')),
  }),
}

const config = agentConfig([source], uplinks).read(
  {
    daemon: 'agent',
    node: 'ward',
    state: join(folder, 'ward'),
    sources: [{ type: 'hl7', listen: `127.0.0.1:${port}`, pace: 100_000 }],
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  },
  new Place(),
)
const ending = new AbortController()
const { spool, stop } = await startEdge(config, [source], log(), ending.signal)
process.on('message', async () => {
  ending.abort()
  while (spool.stats().envelopes > 0) await delay(20)
  await stop()
  process.exit(0)
})
// An orphan would go on answering.
process.on('disconnect', () => process.exit(1))
