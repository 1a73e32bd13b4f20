import t from 'tap'
import { readConfig } from '../../../core/config.ts'
import { Place } from '../../../core/shape.ts'
import { type Asks, ModbusException } from '../../../gateway/modbus/pdu.ts'
import { SunspecDevice, walk } from '../../../gateway/modbus/sunspec.ts'
import { type SunspecMap, sunspecMap } from '../../../gateway/modbus/sunspec-map.ts'
import { fillIn } from '../../../gateway/modbus/templates.ts'
import { fakeHost } from '../../agent/fake-host.ts'
import { random, seeded } from '../../random.ts'

type Memory = Map<number, number>

/** Reads what the memory has, and refuses what it has not; counts. */
function slave(memory: Memory): Pick<Asks, 'read'> & { reads: number } {
  const asks = {
    reads: 0,
    read: async ({ address, count }: { address: number; count: number }) => {
      asks.reads++
      const bytes = Buffer.alloc(count * 2)
      for (let n = 0; n < count; n++) {
        const word = memory.get(address + n)
        if (word === undefined) throw new ModbusException(2, `reading ${count} from ${address}`)
        bytes.writeUInt16BE(word, n * 2)
      }
      return bytes
    },
  }
  return asks
}

const model = (id: number, data: readonly number[]): readonly number[] => [id, data.length, ...data]

/** A chain of models at `base`, closed as it should be unless told otherwise. */
function chain(base: number, models: readonly (readonly number[])[], end: readonly number[] = [0xffff, 0]): Memory {
  const words = [0x5375, 0x6e53, ...models.flat(), ...end]
  return new Map(words.map((word, n) => [base + n, word]))
}

/** Model 103 with every point "not implemented". */
function inverter(set: Readonly<Record<number, number>>, length = 50): number[] {
  const data = new Array<number>(length).fill(0xffff)
  for (const at of [4, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 24, 26, 28, 29, 30, 31, 32, 33, 34, 35])
    data[at] = 0x8000
  for (const [at, word] of Object.entries({ 22: 0, 23: 0, ...set })) data[Number(at)] = word
  return data.slice(0, length)
}

const map: SunspecMap = sunspecMap.read(
  fillIn({ template: 'sunspec', parameters: { prefix: 'pv' } }, new Place(), readConfig).sunspec,
  new Place(),
)

function device(asks: Pick<Asks, 'read'>) {
  const said: string[] = []
  const host = fakeHost('/')
  const at = { name: 'pv', host, say: (_: string, message: string) => void said.push(message) }
  const bounds = { max_gap: 8, max_registers: 125, max_bits: 2000 }
  return { pv: new SunspecDevice({ registers: [], sunspec: map, attributes: {}, ...bounds }, at, asks), said, host }
}

const power = { 12: 2335, 13: 0xffff, 14: 5001, 15: 0xfffe, 36: 4 } as const

t.test('the chain is found at each usual place, and its points are scaled by their scale factors', async t => {
  for (const base of [40_000, 50_000, 0]) {
    const text = [...Array(66).keys()].map(n => (n === 0 ? 0x4143 : n === 1 ? 0x4d45 : 0))
    const { pv } = device(slave(chain(base, [model(1, text), model(103, inverter(power))])))
    const { samples, events } = await pv.read()
    t.strictSame(
      samples.map(s => [s.series.name, s.value, s.series.unit, s.series.attributes['sunspec.model']]),
      [
        ['pv.ac.power', 233.5, 'W', 103],
        ['pv.ac.frequency', 50.01, 'Hz', 103],
        ['pv.state', 4, '{state}', 103],
      ],
      `at ${base}: what is not implemented has no value`,
    )
    t.strictSame(
      events.map(e => [e.name, e.attributes.register, e.body]),
      [
        ['modbus.text_changed', 'pv.device.manufacturer', { from: null, to: 'ACME' }],
        ['modbus.state_changed', 'pv.state', { from: null, to: 'mppt', raw: 4 }],
      ],
      'and what the device does not have is no news',
    )
  }
})

t.test('a scale factor that changes while the device runs scales the next reading', async t => {
  const memory = chain(40_000, [model(103, inverter(power))])
  const { pv } = device(slave(memory))
  t.equal((await pv.read()).samples[0]!.value, 233.5)
  memory.set(40_004 + 13, 1)
  t.equal((await pv.read()).samples[0]!.value, 23_350)
  memory.set(40_004 + 13, 0x8000)
  const { samples, events } = await pv.read()
  t.notOk(
    samples.some(s => s.series.name === 'pv.ac.power'),
    'without a scale factor there is no value',
  )
  t.match(events[0], { name: 'modbus.quality_changed', body: { quality: 'none' } })
})

t.test(
  'models that are unknown are passed over, short ones lack their last points, equal ones are numbered',
  async t => {
    const short = inverter(power, 36)
    const { pv } = device(
      slave(chain(40_000, [model(120, [1, 2, 3]), model(103, short), model(103, inverter({ 36: 8 }))])),
    )
    const { samples } = await pv.read()
    t.strictSame(
      samples.map(s => [s.series.name, s.series.attributes['sunspec.instance'], s.value]),
      [
        ['pv.ac.power', undefined, 233.5],
        ['pv.ac.frequency', undefined, 50.01],
        ['pv.state', 2, 8],
      ],
    )
  },
)

t.test('floats and meters are read by their own models', async t => {
  const float = new Array<number>(60).fill(0xffff)
  for (let n = 0; n < 46; n += 2) float.splice(n, 2, 0x7fc0, 0)
  float.splice(20, 2, 0x4469, 0xe000)
  const meter = new Array<number>(105).fill(0x8000)
  for (let n = 36; n < 103; n++) meter[n] = 0
  Object.assign(meter, { 16: 0xfff6, 20: 2, 37: 1000, 52: 1, 103: 0xffff, 104: 0xffff })
  const { pv } = device(slave(chain(0, [model(113, float), model(203, meter)])))
  const { samples } = await pv.read()
  t.strictSame(
    samples.map(s => [s.series.name, s.value, s.series.kind]),
    [
      ['pv.ac.power', 935.5, 'gauge'],
      ['pv.meter.power', -1000, 'gauge'],
      ['pv.meter.energy.exported', 10_000, 'counter'],
    ],
  )
})

t.test(
  'a chain that does not end, leaves the addresses or breaks off is cut, and what came before is read',
  async t => {
    const good = model(103, inverter(power))
    const endless = new Map([...chain(0, [good], [])])
    for (let address = 54; address < 65_536; address += 2) endless.set(address, 7).set(address + 1, 0)
    const lies: readonly [string, Memory, RegExp][] = [
      ['no end', endless, /more than 256 models/],
      [
        'a length past the last address',
        chain(40_000, [good], [120, 0xffff]),
        /model 120 would reach past the last address/,
      ],
      ['a model 0', chain(40_000, [good], [0, 0]), /a model has the id 0/],
      ['nothing where the next should be', chain(40_000, [good], []), /exception 2/],
    ]
    for (const [what, memory, wanted] of lies) {
      const asks = slave(memory)
      const { pv, said } = device(asks)
      t.equal((await pv.read()).samples[0]?.value, 233.5, what)
      t.match(said[0], wanted, what)
      t.ok(asks.reads < 300, `${what}: ${asks.reads} reads`)
    }
  },
)

t.test('no marker, or no model that is known, is an error in words', async t => {
  await t.rejects(device(slave(new Map())).pv.read(), /no SunSpec map: there is no SunS at 40000, 50000, 0/)
  const { pv } = device(slave(chain(0, [model(7, [1])])))
  for (let n = 0; n < 2; n++) await t.rejects(pv.read(), /map at 0 has no model that is known here: 7/)
})

t.test('a device that is silent where it has no map is found at the next base when it has rested', async t => {
  const asks = slave(chain(0, [model(103, inverter(power))]))
  let rests = false
  const { pv } = device({
    read: async request => {
      rests ||= request.address >= 40_000
      if (rests) throw new Error('no answer')
      return asks.read(request)
    },
  })
  for (let n = 0; n < 2; n++) {
    rests = false
    await t.rejects(pv.read(), /no answer/)
  }
  rests = false
  t.equal((await pv.read()).samples[0]!.value, 233.5)
})

t.test('a device that changed its models is noticed, one that did not keeps its series', async t => {
  const memory = chain(40_000, [model(103, inverter(power))])
  const { pv, host } = device(slave(memory))
  const [before] = (await pv.read()).samples
  host.pass(600_000)
  t.equal((await pv.read()).samples[0]!.series, before!.series)
  for (const [at, word] of chain(40_000, [model(120, [1]), model(103, inverter(power))])) memory.set(at, word)
  host.pass(600_000)
  t.equal((await pv.read()).samples[0]!.value, 233.5)
})

t.test('whatever a device answers, the walk ends, within its bounds', async t => {
  const { seed } = seeded(t)
  const rounds = Number(process.env.FIELDLINE_FUZZ ?? 20_000)
  for (let round = 0; round < rounds; round++) {
    const next = random(seed + round)
    const marked = next() < 0.9
    let reads = 0
    const words = [0, 1, 2, 50, 103, 0xffff, 0x5375, 0x6e53]
    const word = (): number => (next() < 0.6 ? next.pick(words) : next.below(65_536))
    const asks: Pick<Asks, 'read'> = {
      read: async () => {
        if (++reads > 300) throw new Error('it goes on for ever')
        const roll = next()
        if (roll < 0.02) throw new ModbusException(next.below(12), 'reading')
        if (roll < 0.03) throw new Error('no answer')
        const bytes = Buffer.alloc(4)
        bytes.writeUInt16BE(marked && reads === 1 ? 0x5375 : word(), 0)
        bytes.writeUInt16BE(marked && reads === 1 ? 0x6e53 : next() < 0.7 ? next.below(100) : word(), 2)
        return bytes
      },
    }
    try {
      const { models } = await walk(asks, [40_000, 50_000, 0])
      for (const m of models) if (m.address + m.length > 65_536) t.fail(`round ${round}: model at ${m.address}`)
      if (models.length > 256) t.fail(`round ${round}: ${models.length} models`)
    } catch (error) {
      const { message } = error as Error
      if (!/no SunSpec map|no answer/.test(message)) t.fail(`round ${round}: ${message}`)
    }
  }
})
