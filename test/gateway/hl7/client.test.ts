import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { Sender, type Sent } from '../../../gateway/hl7/client.ts'
import { parse } from '../../../gateway/hl7/message.ts'
import { Framer, framed } from '../../../gateway/hl7/mllp.ts'
import { oru } from './rig.ts'

interface Receiver {
  readonly sender: Sender
  readonly got: readonly string[]
}

/** A receiver that answers each frame as the next of the list says; `-` is no answer, `x` closes the connection. */
async function receiver(t: Test, codes: readonly string[], timeout = 60_000): Promise<Receiver> {
  const got: string[] = []
  const left = [...codes]
  const server = createServer(socket => {
    const framer = new Framer(100_000)
    socket.on('error', () => {})
    socket.on('data', chunk => {
      for (const { bytes } of framer.push(chunk)) {
        const { controlId } = parse(bytes)
        got.push(controlId)
        const code = left.shift() ?? 'AA'
        if (code === 'x') socket.destroy()
        else if (code !== '-')
          socket.write(framed(Buffer.from(`MSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|${code}|${controlId}|why\r`)))
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sender = new Sender({ host: '127.0.0.1', port, tls: undefined, timeout, tries: 4 })
  t.teardown(() => {
    sender.close()
    server.close()
  })
  return { sender, got }
}

/** A port on which nobody can listen: it is the near end of a connection that stays open. */
async function takenPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  t.teardown(() => {
    socket.destroy()
    server.close()
  })
  return socket.localPort!
}

const send = (sender: Sender, message: string): Promise<Sent> =>
  sender.send(Buffer.from(message), new AbortController().signal)

t.test('the next message goes when the one before is accepted, and what is not is sent again', async t => {
  const { sender, got } = await receiver(t, ['AA', 'AE', 'x', 'CA', 'AR', 'AE', 'AE', 'AE', 'CE'])
  t.match(await send(sender, oru(1)), { code: 'AA', accepted: true, tries: 1 })
  t.match(await send(sender, oru(2)), { code: 'CA', accepted: true, tries: 3 })
  t.match(await send(sender, oru(3)), { code: 'AR', accepted: false, tries: 1 })
  t.match(await send(sender, oru(4)), { code: 'CE', accepted: false, tries: 4 })
  t.strictSame(got, ['1', '2', '2', '2', '3', '4', '4', '4', '4'])
})

t.test('silence means that it is sent again', async t => {
  const { sender, got } = await receiver(t, Array(4).fill('-'), 300)
  t.match(await send(sender, oru(1)), {
    code: '',
    accepted: false,
    tries: 4,
    trouble: /no answer within 0.3 s|cannot connect/,
  })
  t.ok(got.length > 1)
})

t.test('who wants no answer gets none and waits for none', async t => {
  const { sender } = await receiver(t, ['-'])
  t.match(await send(sender, oru(1, 80, '|||NE|NE')), { code: '', accepted: true, tries: 1 })
})

t.test('where nothing listens it says so', async t => {
  const port = await takenPort(t)
  const sender = new Sender({ host: '127.0.0.1', port, tls: undefined, timeout: 60_000, tries: 2 })
  t.match(await send(sender, oru(1)), {
    accepted: false,
    tries: 2,
    trouble: `cannot connect to 127.0.0.1:${port}: connect ECONNREFUSED`,
  })
})
