// A gateway that is killed as soon as it has acknowledged who lies where.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { freePort } from '../../../core/free-port.ts'
import { MetricDecoder } from '../../../core/otlp/decode.ts'
import { Sender } from '../../../gateway/hl7/client.ts'
import { rig, takeAll } from '../../agent/spool/rig.ts'
import { keyText } from './ward.ts'

const program = new URL('../../../fieldline.ts', import.meta.url).pathname

function configFile(folder: string, port: number, nobody: number): string {
  const key = join(folder, 'key')
  writeFileSync(key, keyText, { mode: 0o600 })
  const lines = [
    'daemon: gateway',
    `state: ${join(folder, 'state')}`,
    'metrics: off',
    `sources: [{ type: hl7, listen: "127.0.0.1:${port}", key_file: ${key} }]`,
    `uplinks: [{ type: mqtt, brokers: ["mqtt://127.0.0.1:${nobody}"] }]`,
  ]
  writeFileSync(join(folder, 'gateway.yaml'), lines.join('\n'))
  return join(folder, 'gateway.yaml')
}

/** Until the answer says that the message is durable; then the gateway is gone. */
async function tell(t: Test, file: string, port: number, message: string): Promise<void> {
  const gateway: ChildProcess = spawn(process.execPath, [program, 'gateway', '--config', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.teardown(() => gateway.kill('SIGKILL'))
  const sender = new Sender({ host: '127.0.0.1', port, tls: undefined, timeout: 10_000, tries: 1000 })
  const { accepted } = await sender.send(Buffer.from(message), new AbortController().signal)
  gateway.kill('SIGKILL')
  sender.close()
  t.ok(accepted)
  await once(gateway, 'exit')
}

t.test('who was admitted before a kill is whom a monitor’s values are about after it', async t => {
  const folder = t.testdir()
  const port = await freePort()
  const file = configFile(folder, port, await freePort())
  const time = new Date().toISOString().replace(/[-:T]|\..*$/g, '')
  const header = (type: string): string => `MSH|^~\\&|CMS|W3|||${time}+0000||${type}|1|P|2.6\r`
  const stay = 'PID|||80211^^^HOSP^MR||Weaver^Jolanda\rPV1||I|W3^304^2\r'
  await tell(t, file, port, `${header('ADT^A01')}EVN||${time}\r${stay}`)
  const value = 'OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||70|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R\r'
  await tell(t, file, port, `${header('ORU^R01')}PV1||I|W3^304^2\rOBR|1|||182777000\r${value}`)
  const spool = await rig(join(folder, 'state'), { now: Date.now, uplinks: ['mqtt'] }).open()
  const patients: unknown[] = []
  const decoder = new MetricDecoder<string>({
    series: (_, { name, attributes }) => {
      if (name === 'mdc.ecg_heart_rate') patients.push(attributes.patient)
      return name
    },
    sample: () => undefined,
  })
  for (const { encoding, payload } of takeAll(spool, 'mqtt'))
    if (encoding === 'otlp-metrics-zstd') decoder.decode(zstdDecompressSync(payload))
  await spool.close()
  t.equal(patients.length, 1)
  t.match(patients[0], /^20261101-/)
})
