// Gives back what starting took. A long configuration leaves a multiple of its size lying between what stays of it, and V8
// would keep those pages for as long as the daemon runs (100,000 registers: 150 MB).

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A heap below this is not worth the pause, bytes. */
const worth = 64e6

type Collect = (how: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

/** Collects all garbage and moves together what is left, where the heap is large; takes about 0.1 s then. */
export function compact(): void {
  if (process.memoryUsage().heapTotal < worth) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
