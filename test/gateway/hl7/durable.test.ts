// The way from the socket into a real spool: full, restarted, and told the same at once.

import t, { type Test } from 'tap'
import { openEdge } from '../../../agent/edge.ts'
import type { Spool } from '../../../agent/spool.ts'
import { drain, type Rig, rig } from '../../agent/spool/rig.ts'
import { connected, type Monitor, oru, ward } from './rig.ts'

const open = (t: Test, changes: Parameters<typeof rig>[1] = {}): Rig => rig(t.testdir(), { now: Date.now, ...changes })

/** A listener over the spool, and how much one message is in it once the sender is known. */
async function over(t: Test, spool: Spool): Promise<{ beds: readonly Monitor[]; each: number; stop(): Promise<void> }> {
  const edge = openEdge({ resource: {}, spool, say: () => undefined, now: Date.now })
  const here = await ward(t, {}, edge.emit)
  const beds = await Promise.all([connected(t, here.port), connected(t, here.port)])
  for (const id of ['first', 'second']) {
    drain(spool)
    await beds[0]!.send(oru(`${id} ${Date.now()}`))
  }
  return { beds, each: stored(spool), stop: here.stop }
}

/** Samples and events in the spool, which is empty then. */
function stored(spool: Spool): number {
  return drain(spool).reduce((sum, { samples, events }) => sum + samples + events, 0)
}

t.test('a message that comes at once over two connections, and again after a restart, is stored once', async t => {
  const r = open(t)
  const spool = await r.open()
  const { beds, each, stop } = await over(t, spool)
  t.strictSame(await Promise.all(beds.map(bed => bed.send(oru(1)))), ['AA', 'AA'])
  t.equal(stored(spool), each)
  await stop()
  await spool.close()
  const again = await r.open()
  const [bed] = (await over(t, again)).beds
  t.equal(await bed!.send(oru(1)), 'AA')
  t.equal(stored(again), 0)
  t.equal(await bed!.send(oru(2)), 'AA')
  t.equal(stored(again), each)
  await again.close()
})

t.test('a full spool that refuses has its senders try again until there is room', async t => {
  const spool = await open(t, { max_bytes: 4000, when_full: 'refuse' }).open()
  const { beds, each } = await over(t, spool)
  const bed = beds[0]!
  let accepted = 0
  while ((await bed.send(oru(accepted))) === 'AA') accepted++
  t.ok(accepted > 2)
  t.equal(await bed.send(oru(accepted)), 'AE')
  t.equal(stored(spool), accepted * each, 'all that was acknowledged is there, and nothing else')
  t.equal(await bed.send(oru(accepted)), 'AA')
  t.equal(stored(spool), each)
  await spool.close()
})
