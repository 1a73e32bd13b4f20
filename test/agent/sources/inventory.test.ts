import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { inventory } from '../../../agent/sources/inventory.ts'
import type { Event } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'inventory')
sourceContract(t, inventory, folder)

const defaults = inventory.options.read({}, new Place())
const server = join(folder, 'server')
const names = (events: readonly Event[]): readonly string[] =>
  events.map(e => `${e.name} ${e.attributes['hw.id'] ?? ''}`.trim())

t.test('it is read hourly, and within a minute when a device came or went', async t => {
  const { root, host } = machine(t, server)
  let n = 0
  const between = (): void => {
    if (++n === 3) rmSync(join(root, 'sys/bus/pci/devices/0000:17:00.0'), { recursive: true })
  }
  const made = await readings(inventory, defaults, host, 65, between)
  const told = made.flatMap(({ events }, minute) => (events.length > 0 ? [[minute, ...names(events)]] : []))
  t.strictSame(told, [
    [0, 'fieldline.inventory'],
    [3, 'fieldline.inventory.removed 0000:17:00.0', 'fieldline.inventory'],
    [63, 'fieldline.inventory'],
  ])
})

t.test('what changed while the agent was down is told once when it is back', async t => {
  const keep = memoryKeep()
  const { root, host } = machine(t, server)
  await readings(inventory, defaults, host, 2, () => {}, keep)
  writeFileSync(join(root, 'sys/block/nvme0n1/device/firmware_rev'), 'GDC9999Q\n')
  const again = async () => names((await readings(inventory, defaults, host, 2, () => {}, keep)).flatMap(r => r.events))
  t.strictSame(await again(), ['fieldline.inventory.changed nvme0n1', 'fieldline.inventory'])
  t.strictSame(await again(), ['fieldline.inventory'])
})

t.test('a child that fails or hangs is said, and leaves the memory modules as they were', async t => {
  const keep = memoryKeep()
  const { host } = machine(t, server)
  await readings(inventory, defaults, host, 1, () => {}, keep)
  const own = async (): Promise<never> => {
    throw new Error('fieldline inventory: no answer within 20 s')
  }
  const [reading] = await readings(inventory, defaults, { ...host, own }, 1, () => {}, keep)
  t.strictSame(names(reading!.events), ['fieldline.inventory'])
  t.equal(reading!.values['gauge hw.components{hw.type=memory} {component}'], 2)
  t.match(reading!.said, ['warning inventory by systeminformation: fieldline inventory: no answer within 20 s'])
})
