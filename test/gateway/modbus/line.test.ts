import t, { type Test } from 'tap'
import type { ModbusLink } from '../../../gateway/modbus/link.ts'
import { type Exchange, turn, Unit } from '../../../gateway/modbus/unit.ts'
import { type LyingSlave, lyingSlave, registers, rtuFrame, tcpFrame, untilGood } from './lying-slave.ts'

const block = { table: 'holding-register', address: 10, count: 2 } as const
const right = Buffer.from([0, 7, 0, 8])

t.test('all units behind one address share one connection', async t => {
  const slave = await lyingSlave(t, 'tcp')
  const links = [1, 2, 3, 200].map(unit_id => slave.link({ unit_id }))
  for (const link of links) t.strictSame(await link.read(block), right)
  t.strictSame(
    slave.asked.map(a => a.unit),
    [1, 2, 3, 200],
  )
  t.equal(slave.sockets.size, 1)
  links[0]!.close()
  t.strictSame(await links[1]!.read(block), right, 'one that leaves takes nothing from the others')
  t.equal(slave.sockets.size, 1)
})

t.test('whoever has much to ask does not keep the others waiting', async t => {
  const slave = await lyingSlave(t, 'tcp')
  const [busy, seldom] = [1, 2].map(unit_id => slave.link({ unit_id })) as [ModbusLink, ModbusLink]
  await busy.read(block)
  const many = Array.from({ length: 50 }, () => busy.read(block))
  await seldom.read(block)
  const before = slave.asked.findLastIndex(a => a.unit === 2)
  await Promise.all(many)
  t.ok(before < 5, `asked as number ${before}`)
})

/** A unit that is silent, and one that is well, on one line: how often each was asked until the second had `reads` answers. */
async function shared(t: Test, slave: LyingSlave, reads: number): Promise<{ dead: number; took: number }> {
  const frame = slave.otherwise
  slave.otherwise = (asked, say, socket) => asked.unit === 1 && frame(asked, say, socket)
  const [well, dead] = [slave.link({ unit_id: 1 }), slave.link({ unit_id: 2, timeout: 50 })]
  let over = false
  const trying = (async () => {
    while (!over) {
      await dead.read(block).catch(() => undefined)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  })()
  await well.read(block)
  const tried = (): number => slave.asked.filter(a => a.unit === 2).length
  const [before, began] = [tried(), performance.now()]
  for (let n = 0; n < reads; n++) {
    t.strictSame(await well.read(block), right)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  over = true
  await trying
  return { dead: tried() - before, took: performance.now() - began }
}

for (const transport of ['tcp', 'rtu-tcp'] as const) {
  t.test(`${transport}: a dead unit takes a fifth of the line at most, and the others lose no answer`, async t => {
    const slave = await lyingSlave(t, transport)
    const { dead, took } = await shared(t, slave, 400)
    t.comment(`${dead} time-outs of 50 ms in ${Math.round(took)} ms`)
    t.ok(dead >= 1, 'it is tried')
    // The first one may be under way when the time begins, the last one when it ends.
    t.ok((dead - 2) * 50 <= took * 0.2)
  })
}

t.test('a unit that comes back is read again, and its neighbour never noticed', async t => {
  const slave = await lyingSlave(t, 'rtu-tcp')
  let isOn = false
  slave.otherwise = (asked, say) => (asked.unit === 1 || isOn) && say(rtuFrame(asked, registers(asked)))
  const well = slave.link({ unit_id: 1 })
  // It is asked again when it is on, and must then have time.
  const [off, hasty] = [slave.link({ unit_id: 2 }), slave.link({ unit_id: 2, timeout: 50 })]
  t.strictSame(await well.read(block), right)
  await t.rejects(hasty.read(block), /of unit 2 at .*: no answer within 50 ms/)
  await t.rejects(off.read(block), /of unit 2 at .*: it has failed; trying again in/)
  t.strictSame(await well.read(block), right)
  isOn = true
  t.strictSame(await untilGood(() => off.read(block)), right)
})

t.test('where one unit breaks the connection, what another had under way is read again', async t => {
  const slave = await lyingSlave(t, 'tcp')
  let isBroken = false
  slave.otherwise = (asked, say) => {
    if (asked.unit === 2 && !isBroken) {
      isBroken = true
      say(Buffer.alloc(20, 0xff))
    } else if (asked.unit === 2 || slave.sockets.size > 1) say(tcpFrame(asked, registers(asked)))
  }
  const [well, liar] = [1, 2].map(unit_id => slave.link({ unit_id, outstanding: 2 })) as [ModbusLink, ModbusLink]
  const [read] = await Promise.all([well.read(block), liar.read(block)])
  t.strictSame(read, right)
  t.equal(slave.asked.filter(a => a.unit === 1).length, 2)
})

t.test('a write is never sent twice', async t => {
  const slave = await lyingSlave(t, 'tcp')
  slave.otherwise = (asked, say) => {
    if (asked.unit === 2) say(Buffer.alloc(20, 0xff))
  }
  const [well, liar] = [1, 2].map(unit_id => slave.link({ unit_id, outstanding: 2 })) as [ModbusLink, ModbusLink]
  const broken = liar.read(block).catch(() => undefined)
  await t.rejects(
    well.write({ function: 6, address: 1, value: 1 }),
    /writing holding-register 1 by function 6 of unit 1/,
  )
  await broken
  t.equal(slave.asked.filter(a => a.pdu[0] === 6).length, 1)
})

t.test('between the answers of a device and its next request lies its pace', async t => {
  const slave = await lyingSlave(t, 'tcp')
  const times: number[] = []
  slave.otherwise = (asked, say) => {
    times.push(performance.now())
    say(tcpFrame(asked, registers(asked)))
  }
  const link = slave.link({ pace: 30 })
  await Promise.all([link.read(block), link.read(block), link.read(block)])
  const gaps = times.slice(1).map((time, n) => time - times[n]!)
  t.ok(
    gaps.every(gap => gap >= 29),
    gaps.join(' '),
  )
})

function exchange(unit: Unit): Exchange {
  const nothing = (): void => {}
  return {
    request: block,
    pdu: Buffer.alloc(0),
    unit,
    timeout: 1000,
    pace: 0,
    sentAt: 0,
    resolve: nothing,
    reject: nothing,
  }
}

t.test(
  'however many are dead, or answer only every other time, they get a fifth of the line, and all are tried',
  async t => {
    for (const [dead, flapping] of [
      [1, 0],
      [10, 0],
      [0, 10],
      [5, 5],
    ] as const) {
      const units = Array.from({ length: 10 + dead + flapping }, (_, n) => new Unit(n))
      const [timeout, answer] = [1000, 4]
      const lost = units.map(() => 0)
      const tries = units.map(() => 0)
      let now = 0
      const began = 120_000
      while (now < 1_200_000) {
        for (const unit of units) if (!unit.waits && unit.rest(now) === 0) unit.add(exchange(unit), 0)
        const unit = turn(units, now)
        if (unit === undefined) {
          now++
          continue
        }
        unit.next()
        const nth = tries[unit.id]!++
        const fails = unit.id >= 10 && (unit.id < 10 + dead || nth % 2 === 1)
        const cost = fails ? timeout : answer
        now += cost
        unit.used += cost
        if (!fails) unit.answered(now, 0)
        else {
          const others = units.filter(u => u !== unit)
          const inDoubt = others.filter(u => u.isInDoubt).length
          unit.failed(now, cost, inDoubt, inDoubt < others.length)
          if (now > began) lost[unit.id]! += cost
        }
      }
      const share = lost.reduce((a, b) => a + b, 0) / (now - began)
      t.comment(`${dead} dead, ${flapping} flapping: ${(share * 100).toFixed(1)} % of the line`)
      t.ok(share <= 0.21)
      t.ok(
        tries.every(n => n > 10),
        'each has its turn',
      )
    }
  },
)
