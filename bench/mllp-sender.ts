// The senders of the bench `mllp`, in a process of their own: each connection sends a message, waits for its
// acknowledgement, and sends the next, at once or when its time has come.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { framed } from '../gateway/hl7/mllp.ts'

export interface Load {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Messages a second of all together; undefined: as fast as they are acknowledged. */
  readonly rate: number | undefined
  /** Makes control ids that no other load has. */
  readonly name: string
}

export interface Measured {
  readonly messages: number
  readonly seconds: number
  /** Of each acknowledgement, ms; of a paced load from the moment the message was due. */
  readonly waits: readonly number[]
}

process.on('message', async (load: Load) => {
  process.send?.(await send(load))
})
process.on('disconnect', () => process.exit(0))

async function send(load: Load): Promise<Measured> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)))
  const began = performance.now()
  const waits = await Promise.all(sockets.map((socket, n) => stream(socket, n, load, began)))
  const seconds = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  return { messages: waits.flat().length, seconds, waits: waits.flat() }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function stream(socket: Socket, connection: number, load: Load, began: number): Promise<number[]> {
  const waits: number[] = []
  const answers = answersOf(socket)
  const write = monitor(`BED-${connection}`)
  const every = load.rate === undefined ? 0 : (load.connections / load.rate) * 1000
  const first = began + (every * connection) / load.connections
  for (let n = 0; performance.now() - began < load.seconds * 1000; n++) {
    const due = every === 0 ? performance.now() : first + n * every
    const early = due - performance.now()
    if (early > 0) await delay(early)
    const id = `${load.name}${connection}.${n}`
    socket.write(framed(Buffer.from(write(id, n), 'latin1')))
    const answer = await answers.next()
    if (!answer.includes(`\rMSA|CA|${id}\r`)) throw new Error(`not accepted: ${answer}`)
    waits.push(performance.now() - due)
  }
  return waits
}

/** Whole answers, one at a time. A listener for all of them: who makes one for each needs as much CPU as the gateway. */
function answersOf(socket: Socket): { next(): Promise<string> } {
  let [answer, take] = ['', (_: string): void => {}]
  socket.on('data', chunk => {
    answer += chunk.toString('latin1')
    if (!answer.endsWith('\x1c\r')) return
    take(answer)
    answer = ''
  })
  return {
    next: () =>
      new Promise(resolve => {
        take = resolve
      }),
  }
}

const metrics = [
  '147842^MDC_ECG_HEART_RATE^MDC',
  '150456^MDC_PULS_OXIM_SAT_O2^MDC',
  '151562^MDC_RESP_RATE^MDC',
  '150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC',
  '150038^MDC_PRESS_BLD_ART_ABP_DIA^MDC',
] as const

/** Makes PCD-01 of 33 segments, as a monitor gateway sends them: 29 observations of one bed. */
function monitor(bed: string): (id: string, n: number) => string {
  const head = `MSH|^~\\&|${bed}^080019FFFE000001^EUI-64|ICU|||`
  const profile = 'P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO'
  const patient = `PID|||SIMULATED^^^HOSP^MR||SIMULATED^PATIENT^^^^^L\rPV1||I|ICU^^${bed}\r`
  const observations = Array.from(
    { length: 29 },
    (_, i) => `OBX|${i + 1}|NM|${metrics[i % 5]}|1.${1 + (i % 5)}.1.${i + 1}|`,
  )
  const unit = '|264864^MDC_DIM_BEAT_PER_MIN^MDC|50-120||||R|||'
  return (id, n) => {
    const time = new Date().toISOString().replace(/[-:T]|\..*$/g, '')
    let text = `${head}${time}+0000||ORU^R01^ORU_R01|${id}|${profile}\r${patient}`
    text += `OBR|1|${id}|${id}|182777000^monitoring of patient^SCT|||${time}+0000\r`
    for (const [i, start] of observations.entries()) text += `${start}${60 + ((n * 7 + i * 13) % 80)}${unit}${time}\r`
    return text
  }
}
