// An edge of its own process that is killed in the midst of an order: notes in a file what it began to do, and what it told.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileKeep } from '../../../agent/keep.ts'
import { openDesk } from '../../../agent/orders.ts'
import { teller } from '../../../agent/teller.ts'
import { realHost } from '../../../core/host.ts'
import type { Order } from '../../../core/model.ts'

const [folder = '', text = '', mode = ''] = process.argv.slice(2)
const order = JSON.parse(text) as Order
const note = (what: string): void => appendFileSync(join(folder, 'notes'), `${what}\n`, { flush: true })
const common = { host: realHost(), say: () => {}, signal: new AbortController().signal }
const told = teller({
  ...common,
  emit: async ({ events }) => {
    for (const { attributes } of events) note(`told ${attributes.state}`)
  },
})
const write = async (): Promise<null> => {
  note('begun')
  if (mode === 'hang') process.kill(process.pid, 'SIGKILL')
  return null
}
const desk = openDesk({
  ...common,
  config: {
    key: undefined,
    allow: [{ source: 'lamp', action: 'write', to: undefined, budget: { most: 9, within: 60_000 }, unsigned: true }],
  },
  keep: fileKeep(join(folder, 'orders.json')),
  teller: told,
  actions: new Map([['lamp', { write }]]),
})
await desk.order(order)
await desk.idle()
