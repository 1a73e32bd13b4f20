import t from 'tap'
import { Place } from '../../../core/shape.ts'
import { Device } from '../../../gateway/modbus/device.ts'
import { ModbusException, type Read } from '../../../gateway/modbus/pdu.ts'
import { registers } from '../../../gateway/modbus/registers.ts'
import { fakeHost } from '../../agent/fake-host.ts'

/** A device of holding registers in memory; `answer` may throw in the place of an answer. */
function device(list: readonly object[], words: Uint16Array, answer: (read: Read) => void = () => undefined) {
  const place = new Place()
  const checked = registers.read(
    list.map(r => ({ table: 'holding-register', type: 'u16', ...r })),
    place,
  )
  t.strictSame(place.problems, [])
  const host = fakeHost('/')
  const said: string[] = []
  const asked: Read[] = []
  const read = async (request: Read): Promise<Buffer> => {
    asked.push(request)
    answer(request)
    const bytes = Buffer.alloc(request.count * 2)
    for (let n = 0; n < request.count; n++) bytes.writeUInt16BE(words[request.address + n]!, n * 2)
    return bytes
  }
  const at = { name: 'plc', host, say: (_: string, message: string) => void said.push(message) }
  const options = { registers: checked, max_gap: 8, max_registers: 125, max_bits: 2000, attributes: { line: 'A' } }
  return { plc: new Device(options, at, { read }), host, said, asked }
}

const refusal = (): never => {
  throw new ModbusException(2, 'reading')
}

t.test('within its deadband a value is sent only after its longest silence', async t => {
  const words = new Uint16Array(10)
  const list = [
    { name: 'absolute', address: 0, scale: 0.1, deadband: 0.5, max_silence: '1m' },
    { name: 'share', address: 1, deadband: '10%' },
    { name: 'change', address: 2, deadband: 0 },
    { name: 'always', address: 3 },
  ]
  const { plc, host } = device(list, words)
  const sent = async (values: readonly number[], pass = 1000): Promise<readonly string[]> => {
    words.set(values)
    host.pass(pass)
    return (await plc.read()).samples.map(s => `${s.series.name} ${s.value}`)
  }
  t.strictSame(await sent([100, 200, 1, 5]), ['absolute 10', 'share 200', 'change 1', 'always 5'])
  t.strictSame(await sent([105, 220, 1, 5]), ['always 5'], 'at the edge of the band')
  t.strictSame(await sent([106, 221, 2, 5]), ['absolute 10.6', 'share 221', 'change 2', 'always 5'])
  t.strictSame(await sent([102, 221, 2, 5]), ['always 5'], 'the band lies around what was sent')
  t.strictSame(await sent([102, 221, 2, 5], 59_000), ['absolute 10.2', 'always 5'], 'silence is not mistaken')
  t.strictSame(await sent([102, 221, 2, 5], 240_000), ['absolute 10.2', 'share 221', 'change 2', 'always 5'])
})

t.test('a named value is a sample of the raw number, and an event where the name changes', async t => {
  const words = new Uint16Array([1])
  const { plc, host } = device([{ name: 'mode', address: 0, values: { 0: 'stop', 1: 'run' } }], words)
  const read = async (raw: number) => {
    words[0] = raw
    host.pass(1000)
    const { samples, events } = await plc.read()
    t.equal(samples[0]!.value, raw)
    return events.map(e => e.body)
  }
  t.strictSame(await read(1), [{ from: null, to: 'run', raw: 1 }])
  t.strictSame(await read(1), [])
  t.strictSame(await read(7), [{ from: 'run', to: null, raw: 7 }], 'a number without a name')
  t.strictSame(await read(8), [{ from: null, to: null, raw: 8 }])
  words[0] = 0
  const [event] = (await plc.read()).events
  t.equal(event, undefined, 'one that flutters is told once a second')
  t.strictSame(await read(0), [{ from: null, to: 'stop', raw: 0 }])
})

t.test('an event says which register, with the attributes of its series', async t => {
  const words = new Uint16Array([0x4142, 0])
  const list = [{ name: 'label', address: 0, type: 'text', length: 2, attributes: { part: 'lid' } }]
  const { plc } = device(list, words)
  const { samples, events } = await plc.read()
  t.strictSame(samples, [])
  t.match(events, [
    {
      name: 'modbus.text_changed',
      severity: 'info',
      body: { from: null, to: 'AB' },
      attributes: { source: 'plc', line: 'A', part: 'lid', register: 'label' },
    },
  ])
})

t.test('a register without a value makes no sample, and one event when that begins and when it ends', async t => {
  const words = new Uint16Array([0x8000, 5])
  const list = [
    { name: 'probe', address: 0, type: 'i16', none: [0x8000], deadband: 10 },
    { name: 'other', address: 1 },
  ]
  const { plc, host } = device(list, words)
  const read = async (raw: number) => {
    words[0] = raw
    host.pass(1000)
    const { samples, events } = await plc.read()
    return [samples.map(s => s.series.name), events.map(e => (e.body as { quality: string }).quality)]
  }
  t.strictSame(await read(0x8000), [['other'], ['none']])
  t.strictSame(await read(0x8000), [['other'], []])
  t.strictSame(await read(3), [['probe', 'other'], ['good']])
  t.strictSame(await read(0x8000), [['other'], ['none']])
  t.strictSame(await read(3), [['probe', 'other'], ['good']], 'within the deadband, but known again')
})

t.test('what a device refuses is told once, asked for every ten seconds, and picked up when it appears', async t => {
  let missing = true
  const list = [4, 5, 6].map(address => ({ name: `r${address}`, address }))
  const { plc, host, said, asked } = device(list, new Uint16Array(10), ({ address, count }) => {
    if (missing && address <= 5 && address + count > 5) refusal()
  })
  const first = await plc.read()
  t.strictSame(
    first.samples.map(s => s.series.name),
    ['r4', 'r6'],
  )
  t.match(first.events, [
    { severity: 'warning', body: { quality: 'refused', reason: /exception 2/ }, attributes: { register: 'r5' } },
  ])
  t.equal(asked.length, 5, 'the block, then its halves')
  host.pass(1000)
  t.strictSame((await plc.read()).events, [])
  t.equal(asked.length, 7, 'it is left in peace')
  missing = false
  host.pass(10_000)
  const { samples, events } = await plc.read()
  t.equal(samples.length, 3)
  t.match(events, [{ severity: 'info', body: { quality: 'good' } }])
  t.match(said, [/^register r5 is left out: /, 'register r5 can be read now'])
})

t.test('one missing register among a hundred costs few requests, then and later', async t => {
  const list = Array.from({ length: 100 }, (_, address) => ({ name: `r${address}`, address }))
  const { plc, asked } = device(list, new Uint16Array(100), ({ address, count }) => {
    if (address <= 33 && address + count > 33) refusal()
  })
  t.equal((await plc.read()).samples.length, 99)
  t.ok(asked.length <= 15, `${asked.length} requests at first`)
  asked.length = 0
  t.equal((await plc.read()).samples.length, 99)
  t.ok(asked.length <= 7, `${asked.length} requests later`)
})

t.test('where one block is not answered, the others are told', async t => {
  const list = [0, 100].map(address => ({ name: `r${address}`, address }))
  let mute = true
  const { plc, host, said, asked } = device(list, new Uint16Array(200), ({ address }) => {
    if (mute && address === 100) throw new Error('no answer within 1000 ms')
  })
  for (let n = 0; n < 5; n++) {
    const { samples, events } = await plc.read()
    t.strictSame(
      samples.map(s => s.series.name),
      ['r0'],
    )
    t.equal(events.length, n === 0 ? 1 : 0)
    host.pass(1000)
  }
  t.equal(asked.filter(r => r.address === 100).length, 3, 'after three times it costs nobody time')
  mute = false
  host.pass(10_000)
  t.equal((await plc.read()).samples.length, 2)
  t.match(said, ['register r100 is left out: no answer within 1000 ms', 'register r100 can be read now'])
})

t.test('a device that answers nothing, is busy, or refuses everything is a failed reading', async t => {
  const list = [{ name: 'r', address: 0 }]
  const fails = (error: Error) => device(list, new Uint16Array(2), () => fail(error)).plc.read()
  const fail = (error: Error): never => {
    throw error
  }
  await t.rejects(fails(new Error('closed')), /closed/)
  await t.rejects(fails(new ModbusException(6, 'reading')), /exception 6/)
  await t.rejects(fails(new ModbusException(2, 'reading')), /exception 2/)
})

t.test(
  'after a failed reading that was refused as a whole the refusal stays the reason until it is asked again',
  async t => {
    const { plc, host, asked } = device([{ name: 'r', address: 0 }], new Uint16Array(2), refusal)
    await t.rejects(plc.read(), /exception 2/)
    await t.rejects(plc.read(), /exception 2/)
    t.equal(asked.length, 1)
    host.pass(10_000)
    await t.rejects(plc.read(), /exception 2/)
    t.equal(asked.length, 2)
  },
)

t.test('a block that is never answered takes others along only until it is known', async t => {
  const list = [0, 100, 150].map(address => ({ name: `r${address}`, address }))
  let failed = false
  const { plc, host, said } = device(list, new Uint16Array(200), ({ address }) => {
    failed ||= address === 0
    if (failed) throw new Error('no answer')
  })
  const told: string[] = []
  for (let n = 0; n < 6; n++) {
    failed = false
    const { samples } = await plc.read().catch(() => ({ samples: [] }))
    told.push(samples.map(s => s.series.name).join(' '))
    host.pass(1000)
  }
  t.strictSame(told, ['', 'r100 r150', 'r100 r150', 'r100 r150', 'r100 r150', 'r100 r150'])
  t.match(said, [/^register r0 is left out/])
})

t.test(
  'what waits behind a block that is never answered is read again as soon as that block is left in peace',
  async t => {
    const list = [0, 100, 150].map(address => ({ name: `r${address}`, address }))
    let failed = false
    const { plc, host, said } = device(list, new Uint16Array(200), ({ address }) => {
      failed ||= address === 100
      if (failed) throw new Error('no answer')
    })
    const told: string[] = []
    for (let n = 0; n < 5; n++) {
      failed = false
      const { samples, events } = await plc.read()
      told.push([...samples.map(s => s.series.name), ...events.map(e => `${e.attributes.register}!`)].join(' '))
      host.pass(1000)
    }
    t.strictSame(told, ['r0 r100!', 'r0', 'r0', 'r0 r150', 'r0 r150'])
    t.match(said, [/^register r100 is left out/])
  },
)

t.test('a power of ten that was read before does not scale what is read now', async t => {
  const words = new Uint16Array(300)
  words.set([5], 0)
  words.set([2], 200)
  let mute = false
  const { plc } = device([{ name: 'r', address: 0, exponent: 200 }], words, ({ address }) => {
    if (mute && address === 200) throw new Error('no answer')
  })
  t.equal((await plc.read()).samples[0]!.value, 500)
  mute = true
  t.strictSame((await plc.read()).samples, [])
})
