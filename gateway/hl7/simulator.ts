// Simulated bedside monitors over MLLP, for the scene `ward` and for looking around without a ward. Each obeys the
// acknowledgements: what is not accepted goes again, what is rejected never. The options it offers mark every series
// `simulated: true`.

import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from '../../core/backoff.ts'
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
  /** Told of each message as it is sent. */
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

  const send = async (): Promise<void> => {
    const pause = backoff({ min: 100, max: 5000 })
    while (!signal.aborted) {
      try {
        await talk(await connected(host, port, signal), pause.reset)
      } catch (error) {
        if (!(error instanceof Error)) throw error
        await delay(pause.next(), undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** One message at a time, each until it is answered. Ends only by a throw. */
  const talk = async (line: Line, works: () => void): Promise<void> => {
    try {
      while (!signal.aborted) {
        if (waiting.length === 0) await new Promise<void>(resolve => (wake = resolve))
        const message = waiting[0]
        if (message === undefined) continue
        sent?.(message)
        const answer = await line.ask(message)
        if (answer === 'error') throw new Error('the receiver cannot take it now')
        works()
        counts[answer]++
        waiting.splice(waiting.indexOf(message), 1)
      }
    } finally {
      line.close()
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

interface Line {
  /** Sends a message; what its acknowledgement says. @throws where none comes. */
  ask(message: string): Promise<'accepted' | 'rejected' | 'error'>
  close(): void
}

async function connected(host: string, port: number, signal: AbortSignal): Promise<Line> {
  const socket = connect({ host, port, noDelay: true })
  const stop = (): void => void socket.destroy()
  signal.addEventListener('abort', stop)
  const { promise: over, reject } = Promise.withResolvers<never>()
  over.catch(() => {})
  socket.on('error', reject)
  socket.on('close', () => {
    signal.removeEventListener('abort', stop)
    reject(new Error(`${host}:${port} has closed the connection`))
  })
  await Promise.race([new Promise<void>(resolve => socket.once('connect', () => resolve())), over])
  const answers = answersOf(socket)
  return {
    async ask(message) {
      const control = controlOf(message)
      socket.write(`\x0b${message}\x1c\r`)
      const timer = setTimeout(() => socket.destroy(new Error('no acknowledgement')), patience)
      try {
        for (;;) {
          const { code, id } = await Promise.race([answers(), over])
          if (id === control) return verdicts[code] ?? 'error'
        }
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => socket.destroy(),
  }
}

/** MSA-1, original and enhanced mode (table 0008). */
const verdicts: Readonly<Record<string, 'accepted' | 'rejected' | 'error'>> = {
  AA: 'accepted',
  CA: 'accepted',
  AR: 'rejected',
  CR: 'rejected',
}

/** MSH-10: the tenth field, where the first is the separator itself. */
function controlOf(message: string): string {
  return message.slice(0, message.indexOf('\r')).split('|')[9] ?? ''
}

interface Acknowledgement {
  readonly code: string
  readonly id: string
}

/** The acknowledgements of a connection, one a call. */
function answersOf(socket: Socket): () => Promise<Acknowledgement> {
  const come: Acknowledgement[] = []
  let text = ''
  let wake = (): void => {}
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const frames = (text + chunk).split('\x1c\r')
    text = frames.pop()!.slice(-65_536)
    for (const frame of frames) {
      const [, code = '', id = ''] = /\rMSA\|([A-Z]{2})\|([^|\r]*)/.exec(frame) ?? []
      come.push({ code, id })
    }
    wake()
  })
  return async () => {
    while (come.length === 0) await new Promise<void>(resolve => (wake = resolve))
    return come.shift()!
  }
}
