// A collector's ingest in a process of its own, to be killed. Argument: folder. Takes envelopes from its parent, each with
// the time at which it comes, and answers when one is committed.

import type { Envelope } from '../../../core/envelope.ts'
import { collectorIn, settled } from '../ingest/collectors.ts'

export interface Sent {
  readonly now: number
  readonly envelope: Envelope
}

const collector = await collectorIn(process.argv[2]!)
process.on('message', async ({ now, envelope }: Sent) => {
  collector.clock.now = now
  await collector.intake.offer({ ...envelope, payload: Buffer.from(envelope.payload) })
  await settled(collector.intake)
  collector.intake.tick()
  process.send?.('committed')
})
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
