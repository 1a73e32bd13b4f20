// Offers 1, 2, 3 ... to an inbox until it is killed, and writes each watermark it is answered with.

import { envelope, inboxIn } from './envelopes.ts'

const [folder = '', from = '1'] = process.argv.slice(2)
const { inbox } = inboxIn(folder)
const lanes = [0, 1, 2, 3, 4, 5, 6, 7]

await Promise.all(
  lanes.map(async lane => {
    for (let seq = Number(from); ; seq++) {
      const { watermark } = await inbox.offer(envelope(seq, { stream: `s.metrics.${lane}`, previous: 0 }))
      process.stdout.write(`${lane} ${watermark}\n`)
    }
  }),
)
