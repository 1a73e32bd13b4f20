import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Event } from '../../../core/model.ts'
import { bedsides, type SimulatedMonitor, simulatedMonitor, simulatedOptions } from '../../../gateway/hl7/simulator.ts'
import { until } from '../../brokers.ts'
import { ward as listening } from './rig.ts'
import { ward } from './ward.ts'

/** `AA`, or nothing and the connection ends. */
type Answer = (message: string, n: number) => string | undefined

interface Receiver {
  readonly port: number
  /** As they came, also those not accepted. */
  readonly messages: string[]
  readonly accepted: string[]
  answer: Answer
}

async function receiver(t: Test): Promise<Receiver> {
  const made: Receiver = { port: 0, messages: [], accepted: [], answer: () => 'AA' }
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const frames = (text + chunk).split('\x1c\r')
      text = frames.pop()!
      for (const frame of frames) take(frame.slice(1), socket)
    })
  }).listen(0, '127.0.0.1')
  const take = (message: string, socket: Socket): void => {
    made.messages.push(message)
    const code = made.answer(message, made.messages.length)
    if (code === undefined) return void socket.destroy()
    if (code === 'AA') made.accepted.push(message)
    const control = message.split('|')[9]
    socket.write(`\x0bMSH|^~\\&|||||||ACK|1|P|2.6\rMSA|${code}|${control}\r\x1c\r`)
  }
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return Object.assign(made, { port })
}

function monitor(t: Test, { port }: Receiver): SimulatedMonitor {
  const made = simulatedMonitor({ host: '127.0.0.1', port, bedside: bedsides[0]!, interval: 20 })
  t.teardown(() => made.close())
  return made
}

t.test('its messages mean an admission, readings of a device at a bed, and one alarm with its end', async t => {
  const far = await receiver(t)
  const made = monitor(t, far)
  await until('readings have come', () => far.accepted.length >= 4)
  made.lowSaturation = true
  await until('the alarm is told', () => far.accepted.some(m => m.includes('ORU^R40')))
  made.lowSaturation = false
  await until('its end is told', () => far.accepted.some(m => m.includes('R40') && m.includes('|end|')))
  const here = ward()
  const all = far.accepted.map(m => here.take(m, Date.now()))
  const events: readonly Event[] = all.flatMap(o => o.events)
  t.match(events[0], { name: 'hl7.patient.admitted', attributes: { bed: 'WARD3/304/1', processing: 'training' } })
  const alerts = events.filter(e => e.name.startsWith('hl7.alert.'))
  t.match(alerts[0], {
    name: 'hl7.alert.start',
    severity: 'critical',
    attributes: { code: 'mdc.evt_lo', metric: 'mdc.puls_oxim_sat_o2', type: 'physiological' },
    body: { value: 82, unit: '%', limits: '90-100' },
  })
  t.equal(alerts.at(-1)!.name, 'hl7.alert.end')
  t.equal(new Set(alerts.map(e => e.attributes.alert)).size, 1)
  const names = new Set(all.flatMap(o => o.samples.map(s => s.series.name)))
  t.same(names.size, 6)
  t.same(
    all
      .flatMap(o => o.samples)
      .filter(s => s.series.attributes.patient === undefined || s.series.attributes.bed === undefined),
    [],
  )
  t.same(
    events.filter(e => e.name === 'hl7.observation.no_value'),
    [],
  )
})

t.test('what is not accepted goes again, what is rejected does not, and nothing is lost on the way', async t => {
  const far = await receiver(t)
  const answers: (string | undefined)[] = ['AE', undefined, 'CR', 'AA', 'AE', 'AA']
  far.answer = (_, n) => (n <= answers.length ? answers[n - 1] : 'CA')
  const made = monitor(t, far)
  await until('all answers are given', () => far.messages.length >= answers.length + 2)
  const [first, second, third, fourth, fifth, sixth] = far.messages
  t.same(
    [first, second, third].map(m => m!.split('|')[9]),
    [1, 1, 1].map(() => first!.split('|')[9]),
    'until it is rejected',
  )
  t.not(fourth, third)
  t.equal(fifth, sixth, 'until it is accepted')
  t.equal(made.rejected, 1)
})

t.test('the listener accepts all that two monitors send', async t => {
  const here = await listening(t, simulatedOptions)
  const both = bedsides.map(bedside => simulatedMonitor({ host: '127.0.0.1', port: here.port, bedside, interval: 20 }))
  t.teardown(() => Promise.all(both.map(one => one.close())))
  both[0]!.lowSaturation = true
  const events = () => here.emitted.flatMap(o => o.events)
  await until('both are heard', () => both.every(one => one.accepted > 5))
  await until('the alarm is told', () => events().some(e => e.name === 'hl7.alert.start'))
  t.same(
    both.map(one => one.rejected),
    [0, 0],
  )
  t.equal(events().filter(e => e.name === 'hl7.alert.start').length, 1)
  t.same(
    events().filter(e => !['hl7.patient.noted', 'hl7.alert.start', 'hl7.alert.update'].includes(e.name)),
    [],
  )
  t.ok(events().every(e => e.attributes.simulated === true))
})

t.test('a high pressure raises another alarm', async t => {
  const far = await receiver(t)
  const made = monitor(t, far)
  made.highPressure = true
  await until('the alarm is told', () => far.accepted.some(m => m.includes('ORU^R40')))
  const here = ward()
  const alerts = far.accepted.flatMap(m => here.take(m, Date.now()).events).filter(e => e.name === 'hl7.alert.start')
  t.match(alerts, [{ severity: 'error', attributes: { code: 'mdc.evt_hi', priority: 'medium' } }])
})
