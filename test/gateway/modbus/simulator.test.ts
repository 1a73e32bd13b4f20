import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { Place } from '../../../core/shape.ts'
import { simulatedPlc } from '../../../gateway/modbus/simulator.ts'
import { modbus } from '../../../gateway/sources/modbus.ts'
import { fakeHost } from '../../agent/fake-host.ts'

t.test('every register of the simulated PLC reads through the source, marked as simulated', async t => {
  const plc = await simulatedPlc()
  t.teardown(() => plc.close())
  const place = new Place()
  const options = modbus.options.read(plc.options, place)
  t.strictSame(place.problems, [])
  const said: string[] = []
  const host = fakeHost('/')
  const running = modbus.open(options, {
    name: 'press',
    host,
    keep: memoryKeep(),
    say: (_, message) => void said.push(message),
  })
  const { samples } = await running.once!(AbortSignal.timeout(5000))
  t.equal(samples.length, 8, said.join('; '))
  for (const { series } of samples) t.match(series.attributes, { simulated: true, source: 'press' }, series.name)
  const oil = samples.find(s => s.series.name === 'press.oil.temperature')!.value
  t.ok(oil > 40 && oil < 70, `${oil} Cel`)
  plc.overheat = true
  const hot = (await running.once!(AbortSignal.timeout(5000))).samples[2]
  t.ok(
    (await running.once!(AbortSignal.timeout(5000))).samples.some(s => s.value > 80),
    `${hot?.value}`,
  )
})
