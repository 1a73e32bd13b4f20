// A small plant for the page to show: two hosts, a gateway with a simulated press, and a host that went away.

import { disk } from '../api/disks.ts'
import { FakeView } from '../api/fake-view.ts'

export const hot = {
  id: 'oil-hot',
  rule: 'oil-too-hot',
  kind: 'threshold',
  severity: 'error',
  message: 'press.oil.temperature is above 65 °C for more than 10 s',
} as const

/** Ten minutes of data up to now, one sample every 5 s. */
export function plant(): { readonly view: FakeView } {
  const view = new FakeView()
  const now = Date.now()
  const os = { 'os.type': 'linux', 'os.description': 'Debian GNU/Linux 12 (bookworm)', 'service.version': '0.1.0' }
  const host = (name: string) => ({
    samplesPerSecond: 48.6,
    firstSeen: now - 9e6,
    attributes: { 'host.name': name, ...os },
  })
  view.setNode('mill-1', host('mill-1'))
  view.setNode('packing-2', host('packing-2'))
  view.setNode('press-gw', { samplesPerSecond: 7, simulated: true, attributes: { 'host.name': 'press-gw' } })
  view.setNode('store-3', { ...host('store-3'), state: 'offline', samplesPerSecond: 0, lastSeen: now - 5_400_000 })
  const makers = [...hostSeries(view, 'mill-1', 1), ...hostSeries(view, 'packing-2', 2.3), ...pressSeries(view)]
  for (let time = now - 600_000; time <= now; time += 5000) {
    for (const { id, value } of makers) view.append(id, time, value(time / 1000))
  }
  view.setVitals({ samplesPerSecond: 104.2, samples: 1_204_332, p99Ms: 43 })
  const series = view.series({ node: 'press-gw', name: 'press.oil.temperature', limit: 1 })[0]!
  view.setFinding({
    ...hot,
    id: 'earlier',
    subject: { node: 'press-gw', series: series.series },
    seriesId: series.id,
    since: now - 5_000_000,
    until: now - 4_700_000,
    evidence: { value: 71.2, above: 65 },
  })
  view.addEvent({
    node: 'press-gw',
    name: 'fieldline.modbus.down',
    time: now - 400_000,
    severity: 'error',
    body: 'no answer from modbus-tcp://127.0.0.1:502 within 1 s',
    attributes: { source: 'press', simulated: true },
  })
  view.addEvent({
    node: 'press-gw',
    name: 'fieldline.modbus.up',
    time: now - 380_000,
    severity: 'info',
    body: null,
    attributes: { source: 'press', simulated: true },
  })
  disksOf(view, now)
  return { view }
}

/** A failing disk, a worn SSD, a sound disk that is simulated, and one that is gone. */
function disksOf(view: FakeView, now: number): void {
  const of = (name: string, attributes: object, value: (days: number) => number) => {
    const all = { 'hw.id': 'wwn-0x1', 'hw.type': 'physical_disk', ...attributes }
    const id = view.addSeries('packing-2', name, '1', 'gauge', all)
    for (let n = 30; n > 0; n--) view.append(id, now - n * day, value(30 - n))
    return view.seriesById(id)!
  }
  const smart = (id: number, name: string) => ({
    'hw.physical_disk.smart_id': id,
    'hw.physical_disk.smart_attribute': name,
  })
  const series = [
    of('hw.physical_disk.failure_probability', {}, n => Math.min(0.74, 0.001 * 1.3 ** n)),
    of('hw.physical_disk.smart', smart(5, 'Reallocated_Sector_Ct'), n => Math.max(0, n - 18) * 8),
  ]
  const counts = { reallocated: 152, uncorrected: 38, power_cycles: 12 }
  view.addDisk(disk('wwn-0x1', now, { risk: 'critical', probability: 0.74, trend: 'rising', counts, series }))
  const worn = { used: 0.97, known: true, from: now + 40 * day, at: now + 60 * day, to: now + 90 * day }
  const wear = { ...worn, sentence: '97 % of its endurance is used; worn out about 2027-01-25' }
  view.addDisk(disk('nvme-2', now, { risk: 'warning', probability: null, wear, says: ['it has become read-only'] }))
  view.addDisk(disk('wwn-0x3/a b', now, { risk: null, probability: 0.0004, simulated: true, asleep: true }))
  view.addDisk(disk('wwn-0x4', now, { risk: null, probability: null, gone: now - 3 * day }))
}

const day = 86_400_000

interface Maker {
  readonly id: number
  /** At a time in seconds. */
  value(s: number): number
}

const start = Math.floor(Date.now() / 1000) - 700

function wave(s: number, period: number, middle: number, height: number): number {
  return middle + height * Math.sin((s / period) * 6.283) + height * 0.3 * Math.sin((s / period) * 29)
}

function hostSeries(view: FakeView, node: string, phase: number): Maker[] {
  const gauge = (name: string, unit: string, value: Maker['value'], attributes = {}): Maker => {
    return { id: view.addSeries(node, name, unit, 'gauge', attributes), value: s => value(s + phase * 100) }
  }
  const counter = (name: string, unit: string, rate: number, attributes = {}): Maker => {
    const id = view.addSeries(node, name, unit, 'counter', attributes)
    return { id, value: s => Math.round(rate * (s - start) * 100 + rate * 900 * Math.sin(s / (40 * phase))) / 100 }
  }
  const modes = Object.entries({ user: 0.42, system: 0.13, iowait: 0.03, idle: 3.2, nice: 0.01 })
  const disks = Array.from({ length: 10 }, (_, n) => `nvme${n}n1`)
  return [
    gauge('system.cpu.load_average.1m', '{thread}', s => wave(s, 240, 1.1, 0.5)),
    ...modes.map(([mode, rate]) => counter('system.cpu.time', 's', rate, { 'cpu.mode': mode })),
    ...['used', 'cached', 'free'].map((state, n) =>
      gauge('system.memory.usage', 'By', s => wave(s, 500, (5 - n) * 1.2e9, 2e8), { 'system.memory.state': state }),
    ),
    gauge('system.memory.utilization', '1', s => wave(s, 500, 0.61, 0.04)),
    ...disks.map((device, n) =>
      counter('system.disk.io', 'By', 90_000 * (n + 1), { 'system.device': device, 'disk.io.direction': 'write' }),
    ),
    ...['receive', 'transmit'].map((direction, n) =>
      counter('system.network.io', 'By', 2_300_000 / (n + 1), {
        'network.interface.name': 'eth0',
        'network.io.direction': direction,
      }),
    ),
    gauge('system.filesystem.utilization', '1', () => 0.37, { 'system.filesystem.mountpoint': '/' }),
    counter('system.network.packet.count', '{packet}', 1900, { 'network.interface.name': 'eth0' }),
    gauge('system.processes.count', '{process}', s => Math.round(wave(s, 300, 212, 5))),
    gauge('fieldline.source.duration', 's', s => wave(s, 60, 0.0004, 0.00005), { source: 'cpu' }),
  ]
}

function pressSeries(view: FakeView): Maker[] {
  const attributes = { simulated: true, source: 'press' }
  const register = (name: string, unit: string, value: Maker['value'], kind: 'gauge' | 'counter' = 'gauge'): Maker => {
    return { id: view.addSeries('press-gw', name, unit, kind, attributes), value }
  }
  return [
    register('press.oil.temperature', 'Cel', s => Math.round(wave(s, 400, 52, 6) * 10) / 10),
    register('press.pressure', 'bar', s => Math.round(wave(s, 60, 140, 30) * 100) / 100),
    register('press.motor.speed', '{rotation}/min', s => wave(s, 90, 1480, 12)),
    register('press.strokes', '{stroke}', s => Math.floor((s - start) / 4), 'counter'),
    register('press.pump.running', '1', s => (s % 120 < 90 ? 1 : 0)),
  ]
}
