import t, { type Test } from 'tap'
import type { Read } from '../../../gateway/modbus/pdu.ts'
import { type LyingSlave, lyingSlave, type Rule, registers, rtuFrame, tcpFrame, untilGood } from './lying-slave.ts'

const block: Read = { table: 'holding-register', address: 10, count: 2 }
const right = Buffer.from([0, 7, 0, 8])

/** Of whoever is to wait in vain; all others have time, however busy the machine is. */
const hasty = { timeout: 150 }

const silent: Rule = () => {}
/** When the next one is asked for. */
const late: Rule = (asked, say, socket) =>
  void socket.prependOnceListener('data', () => say(tcpFrame(asked, registers(asked, 1000))))

/** What is wrong with an answer, and whether the connection can be kept. */
const faults: Readonly<Record<string, readonly [Rule, 'kept' | 'new']>> = {
  'answers too late': [late, 'kept'],
  'answers for another transaction': [
    (a, say) => say(tcpFrame({ ...a, transaction: a.transaction + 1 }, registers(a, 1000))),
    'kept',
  ],
  'answers for another unit': [(a, say) => say(tcpFrame({ ...a, unit: 4 }, registers(a, 1000))), 'kept'],
  'answers another function': [(a, say) => say(tcpFrame(a, Buffer.from([4, 4, 3, 232, 3, 233]))), 'kept'],
  'answers too few registers': [(a, say) => say(tcpFrame(a, Buffer.from([3, 2, 3, 232]))), 'kept'],
  'answers too many registers': [(a, say) => say(tcpFrame(a, Buffer.from([3, 6, 3, 232, 3, 233, 3, 234]))), 'kept'],
  'says a byte count that is not so': [(a, say) => say(tcpFrame(a, Buffer.from([3, 2, 3, 232, 3, 233]))), 'kept'],
  'says a byte count longer than its frame': [
    (a, say) => say(tcpFrame(a, Buffer.from([3, 200, 3, 232, 3, 233]))),
    'kept',
  ],
  'sends an empty frame': [(a, say) => say(tcpFrame(a, Buffer.alloc(0))), 'kept'],
  'says nothing': [silent, 'kept'],
  'sends garbage': [(_, say) => say(Buffer.alloc(300, 0xff)), 'new'],
  'announces more than Modbus can hold': [(a, say) => say(tcpFrame(a, Buffer.alloc(254, 3))), 'new'],
  'announces nothing': [(_, say) => say(Buffer.alloc(7)), 'new'],
  'closes the connection': [(_, __, socket) => void socket.end(), 'new'],
  'resets the connection': [(_, __, socket) => void socket.resetAndDestroy(), 'new'],
  'stops in the middle of an answer': [(a, say) => say(tcpFrame(a, registers(a, 1000)).subarray(0, 10)), 'new'],
  'stops in the middle of a header': [(a, say) => say(tcpFrame(a, registers(a, 1000)).subarray(0, 3)), 'new'],
}

for (const [what, [fault, connection]] of Object.entries(faults)) {
  t.test(`after a slave that ${what}, the failed reading is an error and the next one is right`, async t => {
    const slave = await lyingSlave(t, 'tcp')
    const link = slave.link()
    t.strictSame(await link.read(block), right)
    slave.rules.push(fault)
    await t.rejects(slave.link(hasty).read(block), /reading 2 of holding-register from 10 of unit 3 at 127\.0\.0\.1/)
    t.strictSame(await untilGood(() => link.read(block)), right, 'nothing of the fault is in it')
    t.strictSame(await link.read(block), right)
    t.equal(slave.sockets.size, connection === 'kept' ? 1 : 2, `connection ${connection}`)
  })
}

t.test('an answer in single bytes, and one sent twice, are read right', async t => {
  const bytewise: Rule = (a, say) => {
    for (const byte of tcpFrame(a, registers(a))) say(Buffer.from([byte]))
  }
  const twice: Rule = (a, say) => say(Buffer.concat([tcpFrame(a, registers(a, 20)), tcpFrame(a, registers(a, 20))]))
  const slave = await lyingSlave(t, 'tcp', [bytewise, twice])
  const link = slave.link()
  t.strictSame(await link.read(block), right)
  t.strictSame(await link.read(block), Buffer.from([0, 20, 0, 21]))
  t.strictSame(await link.read(block), right)
  t.equal(slave.sockets.size, 1)
})

t.test('an exception is told in words and leaves the connection as it is', async t => {
  const slave = await lyingSlave(t, 'tcp', [(a, say) => say(tcpFrame(a, Buffer.from([0x83, 2])))])
  const link = slave.link()
  await t.rejects(link.read(block), { name: 'ModbusException', code: 2, message: /exception 2, illegal data address/ })
  t.strictSame(await link.read(block), right)
  t.equal(slave.sockets.size, 1)
})

t.test('a gateway that does not reach a unit, or a busy one, refuses nothing: it is a failure that passes', async t => {
  for (const code of [5, 6, 10, 11]) {
    const slave = await lyingSlave(t, 'tcp', [(a, say) => say(tcpFrame(a, Buffer.from([0x83, code])))])
    const link = slave.link()
    await t.rejects(link.read(block), { name: 'Error', message: new RegExp(`exception ${code}, `) })
    t.strictSame(await untilGood(() => link.read(block)), right)
  }
})

t.test('an answer that came in time counts, also where this process was held up beyond the time', async t => {
  const slave = await lyingSlave(t, 'tcp')
  await slave.link().read(block)
  const answered = new Promise<void>(resolve => {
    slave.rules.push((asked, say) => {
      say(tcpFrame(asked, registers(asked)))
      resolve()
    })
  })
  const read = slave.link({ timeout: 300 }).read(block)
  await answered
  const until = performance.now() + 500
  while (performance.now() < until);
  t.strictSame(await read, right)
})

t.test('where nothing listens, the error says what was tried and reads fail at once until the next try', async t => {
  const slave = await lyingSlave(t, 'tcp')
  await new Promise(resolve => slave.server.close(resolve))
  const link = slave.link()
  await t.rejects(link.read(block), /connecting to 127\.0\.0\.1:\d+: connect ECONNREFUSED/)
  await t.rejects(link.read(block), /is not connected; trying again in/)
})

t.test('several outstanding: answered backwards, each gets its own', async t => {
  const slave = await lyingSlave(t, 'tcp')
  const held: (() => void)[] = []
  slave.otherwise = (asked, say) => {
    held.push(() => say(tcpFrame(asked, registers(asked, asked.pdu.readUInt16BE(1)))))
    if (held.length === 4) for (const answer of held.splice(0).reverse()) answer()
  }
  const link = slave.link({ outstanding: 4 })
  const addresses = Array.from({ length: 40 }, (_, n) => n * 3)
  const read = await Promise.all(addresses.map(address => link.read({ ...block, address, count: 1 })))
  t.strictSame(
    read.map(bytes => bytes.readUInt16BE(0)),
    addresses,
  )
})

t.test('no more are under way than the least that a user of the line allows', async t => {
  const slave = await lyingSlave(t, 'tcp')
  let underWay = 0
  let most = 0
  slave.otherwise = (asked, say) => {
    most = Math.max(most, ++underWay)
    setImmediate(() => {
      underWay--
      say(tcpFrame(asked, registers(asked)))
    })
  }
  const many = slave.link({ outstanding: 8 })
  await Promise.all(Array.from({ length: 60 }, () => many.read(block)))
  t.ok(most > 1 && most <= 8, `${most}`)
  most = 0
  const one = slave.link({ outstanding: 1, unit_id: 4 })
  await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? many : one).read(block)))
  t.equal(most, 1)
})

t.test('what is written goes before what waits to be read', async t => {
  const slave = await lyingSlave(t, 'tcp')
  slave.otherwise = (asked, say) => say(tcpFrame(asked, asked.pdu[0] === 6 ? asked.pdu : registers(asked)))
  const link = slave.link()
  const reads = Array.from({ length: 10 }, () => link.read(block))
  await link.write({ function: 6, address: 1, value: 1 })
  await Promise.all(reads)
  t.equal(
    slave.asked.findIndex(a => a.pdu[0] === 6),
    0,
  )
})

t.test('a write is believed only when its address and value come back', async t => {
  const slave = await lyingSlave(t, 'tcp', [(a, say) => say(tcpFrame(a, Buffer.from([6, 0, 1, 0, 2])))])
  await t.rejects(
    slave.link().write({ function: 6, address: 1, value: 1 }),
    /confirmed 00010002 where 00010001 was written/,
  )
})

t.test('what cannot be sent is refused before anything is sent', async t => {
  const slave = await lyingSlave(t, 'tcp')
  const link = slave.link()
  await t.rejects(link.read({ ...block, count: 126 }), { name: 'Refused', message: /1 to 125, not 126/ })
  await t.rejects(link.read({ ...block, address: 65_535 }), { name: 'Refused' })
  await t.rejects(link.write({ function: 6, address: 0, value: 65_536 }), { name: 'Refused' })
  t.equal(slave.asked.length, 0)
})

/** Reads with the given bases that the slave answers late: each after its own time is up. */
async function lateBy(t: Test, slave: LyingSlave, count: number): Promise<void> {
  const answers: (() => void)[] = []
  slave.rules.push(
    (asked, say) => void answers.push(() => say(rtuFrame(asked, registers(asked, 1000)))),
    (asked, say) => {
      for (const answer of answers) answer()
      say(rtuFrame(asked, registers(asked)))
    },
  )
  await t.rejects(slave.link(hasty).read({ ...block, count }), /no answer within/)
}

t.test('RTU: an answer that comes when the next one is awaited is never taken for it', async t => {
  for (const count of [1, 2, 125]) {
    const slave = await lyingSlave(t, 'rtu-tcp')
    const link = slave.link()
    t.ok(await link.read(block))
    await lateBy(t, slave, count)
    const bytes = await untilGood(() => link.read({ ...block, count }))
    t.equal(bytes.readUInt16BE(0), 7, 'it is the right one')
    t.equal(bytes.length, count * 2)
    t.equal((await link.read({ ...block, count })).readUInt16BE(0), 7, 'and so is the next')
    t.equal(slave.sockets.size, 1)
  }
})

const rtuFaults: Readonly<Record<string, Rule>> = {
  'sends noise before its answer': (a, say) =>
    say(Buffer.concat([Buffer.from([3, 3, 0xf0, 1, 2, 0xff]), rtuFrame(a, registers(a))])),
  'sends noise after its answer': (a, say) => say(Buffer.concat([rtuFrame(a, registers(a)), Buffer.alloc(30, 3)])),
  'sends its answer byte by byte': (a, say) => {
    for (const byte of rtuFrame(a, registers(a))) say(Buffer.of(byte))
  },
  'lets another unit answer first': (a, say) =>
    say(Buffer.concat([rtuFrame({ unit: 9 }, registers(a, 1000)), rtuFrame(a, registers(a))])),
}
for (const [what, rule] of Object.entries(rtuFaults)) {
  t.test(`RTU: a slave that ${what} is understood`, async t => {
    const slave = await lyingSlave(t, 'rtu-tcp', [rule, rule])
    const link = slave.link()
    for (let n = 0; n < 3; n++) t.strictSame(await link.read(block), right)
  })
}

const rtuFailures: Readonly<Record<string, Rule>> = {
  'sends a wrong checksum': (a, say) => {
    const frame = rtuFrame(a, registers(a, 1000))
    frame[frame.length - 1]! ^= 1
    say(frame)
  },
  'stops in the middle': (a, say) => say(rtuFrame(a, registers(a, 1000)).subarray(0, 5)),
  'answers too many registers': (a, say) => say(rtuFrame(a, Buffer.from([3, 6, 3, 232, 3, 233, 3, 234]))),
  'answers another function': (a, say) => say(rtuFrame(a, Buffer.from([4, 4, 3, 232, 3, 233]))),
  'says nothing': silent,
}
for (const [what, rule] of Object.entries(rtuFailures)) {
  t.test(`RTU: after a slave that ${what}, the failed reading is an error and the next one is right`, async t => {
    const slave = await lyingSlave(t, 'rtu-tcp', [rule])
    const link = slave.link()
    await t.rejects(slave.link(hasty).read(block), /reading 2 of holding-register from 10 of unit 3/)
    t.strictSame(await untilGood(() => link.read(block)), right)
    t.strictSame(await link.read(block), right)
  })
}
