import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { openBroker } from '../../collector/broker.ts'
import { aedes } from '../brokers.ts'

t.test('the embedded broker listens on loopback only', async t => {
  await t.rejects(openBroker({ host: '0.0.0.0', port: 0 }), { message: /loopback only/ })
})

t.test('a port that is taken is an error', async t => {
  const { port } = await aedes(t)
  await t.rejects(openBroker({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' })
})

t.test('a packet that announces 256 MiB ends its connection at once', async t => {
  const { port } = await aedes(t)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61]))
  await once(socket, 'close')
  t.pass('closed')
})

t.test('closing ends the connections that are open', async t => {
  const broker = await aedes(t)
  const socket = connect(broker.port, '127.0.0.1')
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  await broker.kill()
  await closed
  t.pass('closed')
})
