// Simulated bedside monitors over MLLP, for the scene `ward` and for looking around without a ward. Each obeys the
// acknowledgements: what is not accepted goes again, what is rejected never. The options it offers mark every series
// `simulated: true`.

import { setTimeout as delay } from 'node:timers/promises'
import { Sender } from './client.ts'
import { admission, alarm, type Bedside, limits, type Vitals, vitals } from './simulated-messages.ts'

export interface SimulatedMonitor {
  /** The saturation falls to 82 % while true, and the monitor raises its alarm. */
  lowSaturation: boolean
  /** The systolic pressure rises to 195 mm[Hg] while true. */
  highPressure: boolean
  /** Messages accepted and rejected so far. */
  readonly accepted: number
  readonly rejected: number
  close(): Promise<void>
}

export interface MonitorOptions {
  readonly host: string
  readonly port: number
  readonly bedside: Bedside
  /** Between readings, ms. */
  readonly interval?: number
  /** Told of each message when it is sent first. */
  sent?(message: string): void
}

/** What the source should be told besides where to listen. */
export const simulatedOptions = { attributes: { simulated: true } } as const

/** The two of the scene. */
export const bedsides: readonly Bedside[] = [
  { device: '0080A1FFFE5100A1', bed: 'WARD3^304^1', patient: { id: 'SIM-0001', name: 'Nobody' } },
  { device: '0080A1FFFE5100A2', bed: 'WARD3^304^2', patient: { id: 'SIM-0002', name: 'Noone' } },
]

/** An answer that does not come within this, ms, is taken for none. */
const patience = 5000
/** Messages that wait to be accepted; the oldest readings go. */
const most = 1000

export function simulatedMonitor({ host, port, bedside, interval = 1000, sent }: MonitorOptions): SimulatedMonitor {
  const stop = new AbortController()
  const { signal } = stop
  const counts = { accepted: 0, rejected: 0 }
  const run = `${bedside.device.slice(-4)}-${Date.now().toString(36)}`
  const sender = new Sender({ host, port, tls: undefined, timeout: patience, tries: Number.POSITIVE_INFINITY })
  const waiting: string[] = []
  let made = 0
  let wake = (): void => {}

  const queue = (make: (control: string) => string): string => {
    const control = `${run}-${++made}`
    waiting.push(make(control))
    if (waiting.length > most) waiting.splice(1, 1)
    wake()
    return control
  }

  const monitor = {
    lowSaturation: false,
    highPressure: false,
    get accepted() {
      return counts.accepted
    },
    get rejected() {
      return counts.rejected
    },
    async close() {
      stop.abort()
      sender.close()
      wake()
      await Promise.all([reading, sending])
    },
  }
  const alarms = { saturation: '', pressure: '' }

  const read = async (): Promise<void> => {
    queue(control => admission(bedside, control, Date.now()))
    while (!signal.aborted) {
      const now = vitalsAt(Date.now(), monitor)
      queue(control => vitals(bedside, control, Date.now(), now))
      tell('saturation', now.saturation, now.saturation < limits.saturation)
      tell('pressure', now.systolic, now.systolic > limits.systolic)
      await delay(interval, undefined, { signal }).catch(() => undefined)
    }
  }

  const tell = (kind: keyof typeof alarms, value: number, isOut: boolean): void => {
    const started = alarms[kind]
    if (!isOut && started === '') return
    const phase = started === '' ? 'start' : isOut ? 'continue' : 'end'
    // An alarm that lasts is told with every tenth reading.
    if (phase === 'continue' && made % 10 !== 0) return
    const number = queue(control => {
      const about = { kind, phase, number: control, started: started || control, value } as const
      return alarm(bedside, control, Date.now(), about)
    })
    alarms[kind] = phase === 'end' ? '' : started || number
  }

  /** One message at a time, each until it is accepted or rejected. */
  const send = async (): Promise<void> => {
    while (!signal.aborted) {
      if (waiting.length === 0) await new Promise<void>(resolve => (wake = resolve))
      const message = waiting[0]
      if (message === undefined) continue
      sent?.(message)
      const { accepted } = await sender.send(Buffer.from(message), signal)
      if (!accepted && signal.aborted) return
      counts[accepted ? 'accepted' : 'rejected']++
      waiting.splice(waiting.indexOf(message), 1)
    }
  }

  const reading = read()
  const sending = send()
  return monitor
}

/** Slow waves about what a resting adult has. */
function vitalsAt(
  time: number,
  { lowSaturation, highPressure }: Pick<SimulatedMonitor, 'lowSaturation' | 'highPressure'>,
): Vitals {
  const wave = (seconds: number): number => Math.sin((2 * Math.PI * time) / 1000 / seconds)
  const systolic = highPressure ? 195 : 122
  return {
    heart: Math.round(72 + 4 * wave(47) + (lowSaturation ? 30 : 0)),
    saturation: lowSaturation ? 82 : Math.round(97 + wave(31)),
    breaths: Math.round(15 + 2 * wave(73)),
    systolic: Math.round(systolic + 4 * wave(13)),
    diastolic: Math.round((highPressure ? 110 : 78) + 3 * wave(13)),
    temperature: Math.round(10 * (36.8 + 0.2 * wave(600))) / 10,
  }
}
