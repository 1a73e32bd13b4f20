// The scene `ward`: two bedside monitors that send HL7 and a signal lamp over Modbus, all simulated. Now and then the saturation
// falls at one of them and the systolic pressure rises at the other; the monitor alarms, and so does a rule at the gateway,
// which lights the lamp.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../core/free-port.ts'
import { bedsides, type SimulatedMonitor, simulatedMonitor, simulatedOptions } from '../../../gateway/hl7/simulator.ts'
import { simulatedLamp } from '../../../gateway/modbus/simulated-lamp.ts'
import { nowAndThen, type Stage, type StageOptions, type Tell } from '../stage.ts'

const falling = { first: 4000, every: 45_000, lasts: 6000 }
const rising = { first: 13_000, every: 45_000, lasts: 6000 }
const low = 82
const high = 195
/** A message with such a saturation, or with a pressure about that. */
const alarming = new RegExp(`MDC_PULS_OXIM_SAT_O2[^\\r]*\\|${low}\\||MDC_PRESS_BLD_ART_SYS[^\\r]*\\|19\\d\\|`)

const lamp = (value: boolean) => ({ write: { source: 'simulated-lamp', to: 'lamp.red', value } })

/** The rule of packaging/config/gateway-ward.yaml. */
const alarm = {
  name: 'vital-signs',
  when: {
    any: [
      { metric: 'mdc.puls_oxim_sat_o2', below: 90, clear: 92 },
      { metric: 'mdc.press_bld_art_sys', above: 180, clear: 170 },
      { metric: 'mdc.press_bld_art_sys', below: 90, clear: 95 },
    ],
  },
  then: [
    { event: { name: 'ward.alarm', severity: 'critical', message: 'SpO2 or systolic pressure out of limits' } },
    lamp(true),
  ],
  otherwise: [{ event: { name: 'ward.alarm.end', severity: 'info', message: 'within limits again' } }, lamp(false)],
  start: 'otherwise',
}

const findings = [
  { name: 'spo2-low', metric: 'mdc.puls_oxim_sat_o2', below: 90, clear: 92 },
  { name: 'systolic-high', metric: 'mdc.press_bld_art_sys', above: 180, clear: 170 },
].map(limit => ({ type: 'threshold', ...limit, for: '3s', severity: 'critical' }))

export async function openWard({ folder }: StageOptions): Promise<Stage> {
  const key_file = keyFile(folder)
  const port = await freePort()
  const light = await simulatedLamp(on => told(on))
  let told = (_: boolean): void => {}
  let monitors: readonly SimulatedMonitor[] = []

  const play = (tell: Tell, signal: AbortSignal): void => {
    let sentAt: number | undefined
    const sent = (message: string): void => {
      if (alarming.test(message)) sentAt ??= performance.now()
    }
    told = on => {
      const took = Math.round(performance.now() - (sentAt ?? performance.now()))
      sentAt = undefined
      tell(said => (on ? said.lampOn(took) : said.lampOff))
    }
    monitors = bedsides.map(bedside => simulatedMonitor({ host: '127.0.0.1', port, bedside, sent }))
    signal.addEventListener('abort', () => void closeAll())
    nowAndThen(falling, signal, on => {
      monitors[1]!.lowSaturation = on
      tell(said => (on ? said.spo2Falls(bedName(1), low) : said.spo2Recovers(bedName(1))))
    })
    nowAndThen(rising, signal, on => {
      monitors[0]!.highPressure = on
      tell(said => (on ? said.pressureRises(bedName(0), high) : said.pressureRecovers(bedName(0))))
    })
  }
  const closeAll = async (): Promise<void> => void (await Promise.all(monitors.map(monitor => monitor.close())))
  return {
    node: 'simulated-ward',
    host: false,
    sources: [
      { type: 'hl7', name: 'simulated-monitors', listen: `127.0.0.1:${port}`, key_file, ...simulatedOptions },
      { type: 'modbus', name: 'simulated-lamp', ...light.options },
    ],
    rules: [alarm],
    detectors: findings,
    play,
    async close() {
      await closeAll()
      await light.close()
    },
  }
}

/** Keys of the pseudonyms, made at the first start: the patients keep their names over restarts. */
function keyFile(folder: string): string {
  const file = join(folder, 'hl7-pseudonyms')
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const today = new Date().toISOString().slice(0, 10)
  writeFileSync(file, `${today} ${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  return file
}

/** `304-2` of `WARD3^304^2`. */
function bedName(n: number): string {
  return bedsides[n]!.bed.split('^').slice(1).join('-')
}
