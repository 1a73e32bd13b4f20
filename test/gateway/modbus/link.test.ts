import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { ModbusLink } from '../../../gateway/modbus/link.ts'
import type { Block } from '../../../gateway/modbus/plan.ts'

const block: Block = { table: 'holding-register', address: 10, count: 2, registers: [] }

/** Answers each request with what `answer` makes of it; the request's transaction id is its first two bytes. */
type Answer = (request: Buffer, socket: Socket) => void

/** A whole, right answer to a read of registers: the value `base`, `base + 1` ... */
function good(request: Buffer, base = 7): Buffer {
  const count = request.readUInt16BE(10)
  const pdu = Buffer.alloc(2 + count * 2)
  pdu[0] = request[7]!
  pdu[1] = count * 2
  for (let n = 0; n < count; n++) pdu.writeUInt16BE(base + n, 2 + n * 2)
  return frame(request, pdu)
}

function frame(
  request: Buffer,
  pdu: Buffer,
  { transaction = request.readUInt16BE(0), unit = request[6]! } = {},
): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt16BE(transaction & 0xffff, 0)
  header.writeUInt16BE(pdu.length + 1, 4)
  header[6] = unit
  return Buffer.concat([header, pdu])
}

/** A slave that answers the n-th request by the n-th rule, then rightly. */
async function slave(
  t: Test,
  rules: readonly Answer[],
): Promise<{ link: ModbusLink; server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  let n = 0
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', request => {
      const rule = rules[n++]
      if (rule) rule(request, socket)
      else socket.write(good(request))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  const line = { transport: 'tcp', host: '127.0.0.1', port: typeof at === 'object' ? at!.port : 0 } as const
  const link = new ModbusLink({ line, unit_id: 3, timeout: 150, outstanding: 1, pace: 0 }, {})
  t.teardown(() => {
    link.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { link, server, sockets }
}

/** Reads until it works; the link holds reads back while it waits to reconnect. */
async function nextGood(link: ModbusLink): Promise<Buffer> {
  const deadline = performance.now() + 5000
  for (;;) {
    try {
      return await link.read(block)
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

const late: Answer = (request, socket) =>
  void setTimeout(() => socket.writable && socket.write(good(request, 1000)), 250)

const faults: Readonly<Record<string, Answer>> = {
  'answers too late': late,
  'answers for another transaction': (r, s) =>
    s.write(frame(r, good(r, 1000).subarray(7), { transaction: r.readUInt16BE(0) + 1 })),
  'answers for another unit': (r, s) => s.write(frame(r, good(r, 1000).subarray(7), { unit: 4 })),
  'answers another function': (r, s) => s.write(frame(r, Buffer.from([4, 4, 3, 232, 3, 233]))),
  'answers too few registers': (r, s) => s.write(frame(r, Buffer.from([3, 2, 3, 232]))),
  'answers too many registers': (r, s) => s.write(frame(r, Buffer.from([3, 6, 3, 232, 3, 233, 3, 234]))),
  'says a byte count that is not so': (r, s) => s.write(frame(r, Buffer.from([3, 2, 3, 232, 3, 233]))),
  'says a byte count longer than its frame': (r, s) => s.write(frame(r, Buffer.from([3, 200, 3, 232, 3, 233]))),
  'sends garbage': (_, s) => s.write(Buffer.alloc(300, 0xff)),
  'sends an empty frame': (r, s) => s.write(frame(r, Buffer.alloc(0))),
  'says nothing': () => {},
  'closes the connection': (_, s) => void s.end(),
  'resets the connection': (_, s) => void s.resetAndDestroy(),
  'stops in the middle of an answer': (r, s) => s.write(good(r, 1000).subarray(0, 10)),
}

for (const [what, fault] of Object.entries(faults)) {
  t.test(`after a slave that ${what}, the failed reading is an error and the next one is right`, async t => {
    const { link } = await slave(t, [(r, s) => s.write(good(r)), fault])
    t.strictSame(await link.read(block), Buffer.from([0, 7, 0, 8]))
    await t.rejects(link.read(block), /reading 2 of holding-register from 10 of unit 3 at 127\.0\.0\.1/)
    t.strictSame(await nextGood(link), Buffer.from([0, 7, 0, 8]), 'nothing of the fault is in it')
    t.strictSame(await link.read(block), Buffer.from([0, 7, 0, 8]))
  })
}

t.test('an answer in single bytes, and one sent twice, are read right', async t => {
  const bytewise: Answer = (r, s) => {
    for (const byte of good(r)) s.write(Buffer.from([byte]))
  }
  const twice: Answer = (r, s) => s.write(Buffer.concat([good(r, 20), good(r, 20)]))
  const { link } = await slave(t, [bytewise, twice])
  t.strictSame(await link.read(block), Buffer.from([0, 7, 0, 8]))
  t.strictSame(await link.read(block), Buffer.from([0, 20, 0, 21]))
  t.strictSame(await link.read(block), Buffer.from([0, 7, 0, 8]))
})

t.test('an exception is told in words and leaves the connection as it is', async t => {
  const { link, sockets } = await slave(t, [(r, s) => s.write(frame(r, Buffer.from([0x83, 2])))])
  await t.rejects(link.read(block), { name: 'ModbusException', code: 2, message: /exception 2, illegal data address/ })
  t.strictSame(await link.read(block), Buffer.from([0, 7, 0, 8]))
  t.equal(sockets.size, 1)
})

t.test('where nothing listens, the error says what was tried and reads fail at once until the next try', async t => {
  const { link, server } = await slave(t, [])
  await new Promise(resolve => server.close(resolve))
  await t.rejects(link.read(block), /connecting to 127\.0\.0\.1:\d+: connect ECONNREFUSED/)
  await t.rejects(link.read(block), /is not connected; trying again in/)
})
