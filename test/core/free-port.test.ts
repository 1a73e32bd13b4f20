import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import t from 'tap'
import { freePort } from '../../core/free-port.ts'

t.test('a free port can be listened on, and is none that the system would give to somebody else', async t => {
  const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number)
  for (let n = 0; n < 20; n++) {
    const port = await freePort()
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    t.ok(port < first! || first! < 20_000, `${port}, others from ${first}`)
    server.close()
    await once(server, 'close')
  }
})
