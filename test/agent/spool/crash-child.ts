// Puts and drains until it is killed; says on its channel what is safe. Started by crash.test.ts.

import { openSpool, type Parcel } from '../../../agent/spool.ts'
import { rig, settleAll } from './rig.ts'

const folder = process.argv[2]!
const from = Number(process.argv[3])
const spool = await openSpool(rig(folder, { max_bytes: 1024 ** 3 }).options)

function parcel(n: number): Parcel {
  const size = 50 + ((n * 7919) % 9000)
  const payload = Buffer.alloc(size, `${n}|`)
  return { lane: 'metrics', firstTime: 1, lastTime: 2, samples: 1, events: 0, encoding: 'otlp-metrics-zstd', payload }
}

for (let n = from; ; n += 3) {
  const group = [n, n + 1, n + 2]
  await Promise.all(group.map(number => spool.put(parcel(number))))
  process.send!({ safe: group })
  if (n % 5 !== 0) continue
  const batch = spool.take('home', 30_000, 30_000)
  // Told before it is settled: what is settled is no longer looked for.
  process.send!({
    delivered: batch.map(({ payload }) => Number(Buffer.from(payload).toString('latin1').split('|')[0])),
  })
  settleAll(spool, batch)
}
