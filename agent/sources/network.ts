// What the host's network stack does: counters of its protocols, sockets, tracked connections, neighbours, and packets
// on their way from the driver. proc_net(5) and Documentation/networking of the kernel.

import { reason } from '../../core/errors.ts'
import { troubles } from '../../core/log.ts'
import type { Sample } from '../../core/model.ts'
import { bool, integer, object, optional } from '../../core/shape.ts'
import { conntrack } from '../network/conntrack.ts'
import { neighbors } from '../network/neighbors.ts'
import type { Part } from '../network/part.ts'
import { protocols } from '../network/protocols.ts'
import { sockets } from '../network/sockets.ts'
import { softnetPart } from '../network/softnet.ts'
import { interval, polled } from '../polled.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
  /** Every counter of the protocols, not only those chosen. */
  readonly all: boolean
  /** The counters of softnet for each CPU instead of their sum. */
  readonly per_cpu: boolean
  /** Up to how many TCP sockets their states are counted; 0: never. */
  readonly states_up_to: number
}

export const network: Source<Options> = {
  name: 'network',
  options: object({
    interval,
    all: optional(bool, false),
    per_cpu: optional(bool, false),
    // A line of /proc/net/tcp has 150 bytes: 25,000 are within what a host file may have.
    states_up_to: optional(integer(0, 25_000), 2000),
  }),
  metrics: partsOf({ interval: 0, all: true, per_cpu: false, states_up_to: 0 }).flatMap(part => part.metrics),
  open(options, at) {
    const parts = partsOf(options).map(part => ({ subject: part.subject, ...part.open(at.host) }))
    const trouble = troubles(at.say)

    const read = (time: number) => {
      const samples: Sample[] = []
      for (const part of parts) {
        const before = samples.length
        try {
          part.read(time, samples)
          trouble(`source ${at.name}, ${part.subject}`, undefined)
        } catch (error) {
          samples.length = before
          trouble(`source ${at.name}, ${part.subject}`, reason(error))
        }
      }
      return { samples, events: [] }
    }
    const close = (): void => {
      for (const part of parts) part.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

function partsOf({ all, per_cpu, states_up_to }: Options): readonly Part[] {
  return [...protocols(all), sockets(states_up_to), conntrack, neighbors, softnetPart(per_cpu)]
}
