// An edge node over a real spool, until it is killed; says on its channel which values are safe in the spool. Started by
// test/agent/sparkplug/kill.test.ts.

import { openEdge } from '../../../agent/edge.ts'
import { fileKeep } from '../../../agent/keep.ts'
import { pump } from '../../../agent/pump.ts'
import { sparkplugOptions } from '../../../agent/sparkplug/options.ts'
import { openSpool } from '../../../agent/spool.ts'
import { openSparkplugUplink } from '../../../agent/uplinks/sparkplug.ts'
import { Place } from '../../../core/shape.ts'
import { rig } from '../spool/rig.ts'
import { gauge } from '../uplinks/made.ts'

const [, , folder = '', url = '', from = '0'] = process.argv
const never = new AbortController().signal
const say = (): void => {}
const spool = await openSpool({ ...rig(folder).options, now: Date.now, uplinks: ['plant'] })
const edge = openEdge({ resource: { 'host.name': 'gate-1' }, spool, say, now: Date.now })
const options = sparkplugOptions.read({ brokers: [url], group: 'plant', primary_host: 'scada' }, new Place())
const identity = { node: 'gate-1', spool: spool.id, keep: fileKeep(`${folder}/uplinks/plant.json`) }
const uplink = openSparkplugUplink(options, identity, { patience: 1000, now: Date.now })
pump({ spool, uplink, name: 'plant', backlog_rate: 1e9, say, signal: never })

const series = gauge('count', { source: 'press-3' })
for (let value = Number(from); ; value++) {
  await edge.emit({ samples: [{ series, time: Date.now(), value }], events: [] })
  process.send!(value)
}
