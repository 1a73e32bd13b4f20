import t from 'tap'
import { identityOf, parsePart } from '../../../gateway/modbus/identification.ts'
import { crc16, Rtu } from '../../../gateway/modbus/rtu.ts'
import { seeded } from '../../random.ts'

const object = (id: number, text: string): number[] => [id, text.length, ...Buffer.from(text)]
const part = (objects: readonly number[][], next?: number): Buffer =>
  Buffer.from([2, 0x82, next === undefined ? 0 : 0xff, next ?? 0, objects.length, ...objects.flat()])

t.test('an identification in parts is put together', async t => {
  const parts = [part([object(0, 'ACME'), object(1, 'PLC-7\0')], 2), part([object(2, '1.0'), object(0x80, 'secret')])]
  const asked: number[] = []
  const identity = await identityOf({
    identify: async ({ object }) => {
      asked.push(object)
      return parts.shift()!
    },
  })
  t.strictSame(identity, { vendor: 'ACME', product_code: 'PLC-7', revision: '1.0' })
  t.strictSame(asked, [0, 2])
})

t.test('a device that always has more is asked no further', async t => {
  let asked = 0
  const asking = (next: (object: number) => number) => {
    asked = 0
    return identityOf({
      identify: async ({ object }) => {
        asked++
        return part([], next(object))
      },
    })
  }
  await asking(object => object + 1)
  t.equal(asked, 8)
  await asking(() => 0)
  t.equal(asked, 1, 'one that begins again')
})

t.test('an object that is longer than its answer is an error, not a shorter text', async t => {
  t.throws(() => parsePart(Buffer.from([2, 0x82, 0, 0, 1, 0, 5, 65, 66])), /reaches past its answer/)
})

t.test('whatever comes is an identification or an error, never more than came', async t => {
  const random = seeded(t)
  const rounds = Number(process.env.FIELDLINE_FUZZ ?? 20_000)
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(random() < 0.5 ? 8 : 256)))
    try {
      const { found } = parsePart(bytes)
      const length = Object.values(found).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
      // A byte that is no UTF-8 is shown by a character of three.
      if (length > bytes.length * 3) t.fail(`${bytes.toString('hex')}: ${length} bytes`)
    } catch (error) {
      if (!/reaches past its answer/.test((error as Error).message)) t.fail(bytes.toString('hex'))
    }
  }
})

t.test('on RTU an identification ends behind its last object, however it comes in pieces', async t => {
  const pdu = Buffer.concat([Buffer.of(43, 14), part([object(0, 'ACME'), object(1, ''), object(2, '1.0')])])
  const frame = new Rtu().frame(0, 7, pdu)
  t.equal(crc16(frame, 0, frame.length), 0)
  for (let cut = 0; cut <= frame.length; cut++) {
    const rtu = new Rtu()
    const answers = [...rtu.take(frame.subarray(0, cut), 7), ...rtu.take(frame.subarray(cut), 7)]
    t.strictSame(
      answers.map(a => a.pdu.toString('hex')),
      [pdu.toString('hex')],
      `cut at ${cut}`,
    )
  }
})
