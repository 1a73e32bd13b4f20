import t from 'tap'
import { readCommand } from '../../../agent/sparkplug/command.ts'
import { PayloadWriter } from '../../../agent/sparkplug/payload.ts'
import { type Random, seeded } from '../../random.ts'
import { decode, encode } from './official.ts'

const time = 1_790_000_000_123

t.test('protobufjs reads a birth as it was written: names, aliases, types, values, properties', async t => {
  const out = new PayloadWriter()
  out.begin(time)
  out.define({ name: 'bdSeq', type: 'Int64', time, value: 255 })
  out.define({ name: 'Node Control/Rebirth', type: 'Boolean', time, value: false })
  const properties = [['engUnit', 'Cel'] as const, ['Quality', 500] as const]
  out.define({ name: 'oil/temperature', alias: 7, type: 'Double', time: time - 1, value: -41.5, properties })
  out.define({ name: 'strokes', alias: 300, type: 'UInt64', time, value: Number.MAX_SAFE_INTEGER })
  out.define({ name: 'Events/alarm', alias: 8, type: 'String', time, value: null })
  out.define({ name: 'n', alias: 9, type: 'Int32', time, value: -5 })
  t.strictSame(decode(out.finish(0)), {
    timestamp: time,
    metrics: [
      { name: 'bdSeq', timestamp: time, datatype: 4, long_value: 255 },
      { name: 'Node Control/Rebirth', timestamp: time, datatype: 11, boolean_value: false },
      {
        name: 'oil/temperature',
        alias: 7,
        timestamp: time - 1,
        datatype: 10,
        properties: {
          keys: ['engUnit', 'Quality'],
          values: [
            { type: 12, string_value: 'Cel' },
            { type: 3, int_value: 500 },
          ],
        },
        double_value: -41.5,
      },
      { name: 'strokes', alias: 300, timestamp: time, datatype: 8, long_value: Number.MAX_SAFE_INTEGER },
      { name: 'Events/alarm', alias: 8, timestamp: time, datatype: 12, is_null: true },
      { name: 'n', alias: 9, timestamp: time, datatype: 3, int_value: 0xffff_fffb },
    ],
    seq: 0,
  })
})

t.test('protobufjs reads data as it was written: aliases alone, history marked', async t => {
  const out = new PayloadWriter()
  out.begin(time)
  out.update(1, 'Double', time, 0.1, false)
  out.update(2, 'UInt64', time, 0, true)
  out.update(3, 'String', time, 'é', false)
  t.strictSame(decode(out.finish(255)), {
    timestamp: time,
    metrics: [
      { alias: 1, timestamp: time, double_value: 0.1 },
      { alias: 2, timestamp: time, is_historical: true, long_value: 0 },
      { alias: 3, timestamp: time, string_value: 'é' },
    ],
    seq: 255,
  })
  out.begin(time)
  t.strictSame(decode(out.finish()), { timestamp: time }, 'nothing of the message before is left')
})

t.test('commands that protobufjs writes are read: each type of value, by its bits', async t => {
  const metrics = [
    { name: 'a', datatype: 1, int_value: 0xff, timestamp: time },
    { name: 'b', datatype: 2, int_value: 0xfffe },
    { name: 'c', datatype: 3, int_value: 0xffff_fffd },
    { name: 'd', datatype: 7, int_value: 0xffff_fffd },
    { alias: 5, datatype: 4, long_value: '18446744073709551612' },
    { alias: 6, datatype: 8, long_value: 12 },
    { alias: 7, float_value: 0.5 },
    { alias: 8, double_value: -0.1 },
    { alias: 9, boolean_value: true },
    { alias: 10, string_value: 'on' },
    { alias: 11, is_null: true },
    { alias: 12, double_value: Number.NaN },
    { alias: 13, datatype: 16, dataset_value: { num_of_columns: 1, columns: ['x'], types: [3] } },
    { alias: 14, long_value: '18446744073709551615' },
  ]
  t.strictSame(
    readCommand(encode({ timestamp: time, metrics, seq: 7 })).map(({ name, alias, value }) => [name ?? alias, value]),
    [
      ['a', -1],
      ['b', -2],
      ['c', -3],
      ['d', 0xffff_fffd],
      [5, -4],
      [6, 12],
      [7, 0.5],
      [8, -0.1],
      [9, true],
      [10, 'on'],
      [11, undefined],
      [12, undefined],
      [13, undefined],
      [14, undefined],
    ],
  )
})

t.test('too many metrics in a command are refused', async t => {
  const metrics = Array.from({ length: 1001 }, () => ({ alias: 1, boolean_value: true }))
  t.throws(() => readCommand(encode({ metrics })), RangeError)
})

const full = encode({
  timestamp: time,
  seq: 3,
  metrics: [
    { name: 'Node Control/Rebirth', timestamp: time, datatype: 11, boolean_value: true },
    {
      alias: 300,
      datatype: 4,
      long_value: '18446744073709551612',
      properties: { keys: ['Quality'], values: [{ type: 3, int_value: 0 }] },
    },
    { alias: 2, datatype: 9, float_value: 1.5, metadata: { content_type: 'x', md5: 'y' } },
    { name: 'ä', string_value: 'text', is_historical: true },
    { name: 't', datatype: 19, template_value: { metrics: [{ name: 'm', int_value: 1 }], is_definition: true } },
    { name: 'd', dataset_value: { columns: ['x'], types: [3], rows: [{ elements: [{ int_value: 1 }] }] } },
  ],
})

/** Bytes like those of a command: changed, cut, repeated, or none of it at all. */
function harmed(random: Random): Buffer {
  if (random.below(10) === 0) return Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)))
  const bytes = Buffer.from(full)
  for (let n = random.below(4); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256)
  if (random.below(2) === 0) return bytes
  const from = random.below(3) === 0 ? random.below(bytes.length) : 0
  const cut = bytes.subarray(from, from + random.below(bytes.length + 1))
  return random.below(4) === 0 ? Buffer.concat([cut, bytes]) : cut
}

t.test('whatever bytes come as a command, they are read or refused with RangeError', async t => {
  const random = seeded(t)
  const count = Number(process.env.FIELDLINE_FUZZ ?? 100_000)
  let [read, refused] = [0, 0]
  for (let n = 0; n < count; n++) {
    const bytes = harmed(random)
    try {
      readCommand(bytes)
      read++
    } catch (error) {
      if (!(error instanceof RangeError)) throw new Error(`${bytes.toString('hex')}`, { cause: error })
      refused++
    }
  }
  t.comment(`${read} read, ${refused} refused, ${Math.round(process.memoryUsage().rss / 1024 ** 2)} MB`)
  t.ok(read > count / 100 && refused > count / 100)
})
