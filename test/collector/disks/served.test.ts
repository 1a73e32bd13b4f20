// A whole collector: a drive told over OTLP/HTTP is in the API, in /metrics and to be asked for from the command line.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { collectorConfig } from '../../../collector/config.ts'
import { startCollector } from '../../../collector/main.ts'
import { metricsEncoder } from '../../../core/otlp/encode.ts'
import { Place } from '../../../core/shape.ts'
import { detectors } from '../../../judge/index.ts'
import { fieldline } from '../../cli/command.ts'
import { samplesOf, sound } from './drives.ts'

t.test('a drive told is scored, served, counted and kept over a restart', async t => {
  const folder = t.testdir({ state: {} })
  const config = collectorConfig(detectors).read(
    { daemon: 'collector', state: join(folder, 'state'), listen: '127.0.0.1:0' },
    new Place(),
  )
  const start = () => startCollector(config, () => {}, { now: Date.now })
  let collector = await start()
  const told = (id: string, type: 'HDD' | 'SSD') => samplesOf(id, Date.now(), { smart: sound, type })
  const body = metricsEncoder({ 'host.name': 'store-1' })([...told('wwn-1', 'HDD'), ...told('wwn-2', 'SSD')])
  const headers = { 'content-type': 'application/x-protobuf' }
  const answer = await fetch(`${collector.url}v1/metrics`, { method: 'POST', body: Buffer.from(body), headers })
  t.equal(answer.status, 200)
  const isThere = async (): Promise<void> => {
    const { disks } = (await (await fetch(`${collector.url}api/disks`)).json()) as { disks: unknown[] }
    t.match(disks, [
      { id: 'wwn-1', node: 'store-1', known: true, level: null, sentence: /^fails within 30 days/ },
      { id: 'wwn-2', known: false, sentence: /it is flash/ },
    ])
    const metrics = await (await fetch(`${collector.url}metrics`)).text()
    t.match(metrics, /^fieldline_disks\{state="scored"\} 1$/m)
    t.match(metrics, /^fieldline_disks\{state="unknown"\} 1$/m)
    t.match(metrics, /^fieldline_disks\{state="gone"\} 0$/m)
  }
  while (collector.view.diskSummary().drives < 2) await new Promise(resolve => setTimeout(resolve, 10))
  await isThere()
  await collector.stop()
  collector = await start()
  await isThere()
  const file = join(folder, 'collector.yaml')
  writeFileSync(file, `daemon: collector\nlisten: ${new URL(collector.url).host}\nstate: ${folder}/state\n`)
  t.match(await fieldline(['disks', '--config', file]), { status: 0, out: /store-1 +\/dev\/sda +ST4000 +S-wwn-1/ })
  await collector.stop()
})
