// A gateway that is killed again and again in the midst of 10,000 messages, from senders that obey its acknowledgements.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../../core/free-port.ts'
import { Sender } from '../../../gateway/hl7/client.ts'
import { aedes } from '../../brokers.ts'
import { peer } from '../../peers.ts'
import { startRoadCollector } from '../../road/road.ts'
import { bundled, Gateway, stored } from '../killed.ts'

const [senders, each] = [5, 2000]
/** As many accepted messages lie between two kills, of the senders that are ours. */
const between = 800

const message = (sender: string, n: number, time: number): Buffer =>
  Buffer.from(`MSH|^~\\&|${sender}|ICU|GW|HOME|${time}||ORU^R01^ORU_R01|${n}|P|2.6\rOBX|1|NM|x||${n}\r`)

t.test('after many kills each of 10,000 messages is at the collector exactly once', { timeout: 240_000 }, async t => {
  const python = peer(t, 'python-hl7')
  if (python === undefined) return
  const folder = t.testdir()
  const broker = await aedes(t)
  const collector = await startRoadCollector(t, { folder: join(folder, 'collector'), brokers: [broker.url] })
  const port = await freePort()
  const gateway = new Gateway(t, await bundled(new URL('gateway-child.ts', import.meta.url), folder), [
    folder,
    broker.url,
    `${port}`,
  ])
  const start = Date.now() - 3_600_000
  let accepted = 0
  const ours = Array.from({ length: senders - 1 }, async (_, s) => {
    const sender = new Sender({ host: '127.0.0.1', port, tls: undefined, timeout: 10_000, tries: 1000 })
    t.teardown(() => sender.close())
    for (let n = 0; n < each; n++) {
      const sent = await sender.send(message(`bed-${s}`, n, start + n * 10), new AbortController().signal)
      if (!sent.accepted) throw new Error(`${sent.code} ${sent.trouble}`)
      if (++accepted % between === 0 && accepted < ours.length * each) gateway.kill()
    }
  })
  const args = [
    new URL('python-sender.py', import.meta.url).pathname,
    '127.0.0.1',
    `${port}`,
    'bed-python',
    `${each}`,
    `${start}`,
  ]
  const other = spawn(python, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  t.teardown(() => other.kill('SIGKILL'))
  const [[code]] = await Promise.all([once(other, 'exit'), ...ours])
  t.equal(code, 0)
  t.ok(gateway.kills >= 8, `${gateway.kills} kills`)
  t.equal(await gateway.finish(), 0)
  await collector.stop()
  const all = stored(join(folder, 'collector'), 'ward', 'witness')
  t.equal(all.length, senders)
  for (const values of all) t.strictSame([values.length, new Set(values).size], [each, each], 'each once')
})
