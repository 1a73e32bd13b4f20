// A child of the crash proof: a collector. Arguments: folder, broker url. Tells its parent of commits as they happen.

import { collectorConfig } from '../../collector/config.ts'
import { start } from '../../collector/main.ts'
import { log } from '../../core/log.ts'
import { Place } from '../../core/shape.ts'
import { detectors } from '../../judge/index.ts'

const [folder, broker] = process.argv.slice(2) as [string, string]
const config = collectorConfig(detectors).read(
  { daemon: 'collector', state: folder, listen: '127.0.0.1:0', mqtt: { brokers: [broker] } },
  new Place(),
)
const running = await start(config, log())
let committed = 0
setInterval(() => {
  const now = running.view.vitals().samples
  if (now > committed) process.send?.('committed')
  committed = now
}, 10)
process.on('message', async () => {
  await running.stop()
  process.exit(0)
})
// An orphan would go on writing where the next run looks.
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
