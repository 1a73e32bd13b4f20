// Ten devices of one kind with 10,000 registers each, read every second over Modbus TCP: u16 in holding registers, at
// addresses without a gap, which is as NeuronEX states its figures.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Field } from './field.ts'

const devices = 10
const registers = 10_000
const outstanding = 4

export const field: Field = {
  name: 'modbus',
  rate: 'tags_per_s',
  wanted: devices * registers,
  async start(folder) {
    const program = fileURLToPath(new URL('modbus-slaves.ts', import.meta.url))
    const slaves = spawn(process.execPath, [program, `${devices}`, `${registers}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [ports] = (await once(createInterface({ input: slaves.stdout }), 'line')) as [string]
    writeFileSync(join(folder, 'bench-plc.yaml'), template())
    const sources = ports.split(' ').map((port, n) => ({
      type: 'modbus',
      name: `plc-${n}`,
      url: `modbus-tcp://127.0.0.1:${port}`,
      interval: '1s',
      outstanding,
      template: 'bench-plc',
      templates: folder,
    }))
    return { sources, stop: () => void slaves.kill() }
  },
}

/** YAML as people write it: one register a line. */
function template(): string {
  const list = Array.from(
    { length: registers },
    (_, n) => `  - { name: line.tag.${n}, table: holding-register, address: ${n}, type: u16, unit: Cel, scale: 0.1 }`,
  )
  return ['template: a PLC of the bench', 'source: made up', 'registers:', ...list, ''].join('\n')
}
