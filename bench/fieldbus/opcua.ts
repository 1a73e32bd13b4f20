// 100,000 nodes of one server, all of which change every second; publishing interval 1 s, queue of 1, no encryption.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Field } from './field.ts'

const nodes = 100_000

export const field: Field = {
  name: 'opcua',
  rate: 'values_per_s',
  wanted: nodes,
  async start(folder) {
    const program = fileURLToPath(new URL('opcua-server.ts', import.meta.url))
    const server = spawn(process.execPath, [program, join(folder, 'server')], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: server.stdout })
    const [url] = (await once(lines, 'line')) as [string]
    const source = {
      type: 'opcua',
      url,
      security: { mode: 'None', folder: join(folder, 'certificates') },
      interval: '1s',
      queue: 1,
      nodes: Array.from({ length: nodes }, (_, n) => ({
        name: `line.value.${n}`,
        node: `ns=2;i=${n + 1}`,
        unit: 'Cel',
      })),
    }
    const flowing = async (): Promise<void> => {
      for (let sent = 0; sent < 2 * nodes; ) sent = Number((await once(lines, 'line'))[0])
    }
    return { sources: [source], flowing, stop: () => void server.kill() }
  },
}
