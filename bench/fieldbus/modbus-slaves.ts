// Slaves for the bench, in a process of their own: `modbus-slaves.ts COUNT REGISTERS` prints the port of each. They answer
// function 3 out of one prepared buffer that all share, because whoever measures a gateway should not measure its slaves; a
// tenth of the registers change each second, by a little.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { random } from '../../test/random.ts'

const [count, registers] = process.argv.slice(2).map(Number) as [number, number]
const dice = random(1)
const table = Buffer.alloc(registers * 2)
for (let n = 0; n < registers; n++) table.writeUInt16BE(dice.below(60_000), n * 2)
setInterval(drift, 1000)

function drift(): void {
  for (let n = dice.below(10); n < registers; n += 10) {
    const value = table.readUInt16BE(n * 2) + dice.below(21) - 10
    table.writeUInt16BE(Math.min(0xffff, Math.max(0, value)), n * 2)
  }
}

function serve(socket: Socket): void {
  socket.setNoDelay()
  socket.on('error', () => socket.destroy())
  // Requests of twelve bytes, several in one piece where several are outstanding.
  socket.on('data', bytes => {
    for (let at = 0; at + 12 <= bytes.length; at += 12) answer(socket, bytes.subarray(at, at + 12))
  })
}

function answer(socket: Socket, request: Buffer): void {
  const from = request.readUInt16BE(8) * 2
  const size = request.readUInt16BE(10) * 2
  const bytes = Buffer.allocUnsafe(9 + size)
  request.copy(bytes, 0, 0, 8)
  bytes.writeUInt16BE(size + 3, 4)
  bytes[8] = size
  table.copy(bytes, 9, from, from + size)
  socket.write(bytes)
}

const servers = Array.from({ length: count }, () => createServer(serve).listen(0, '127.0.0.1'))
await Promise.all(servers.map(server => once(server, 'listening')))
console.log(servers.map(server => (server.address() as { port: number }).port).join(' '))
