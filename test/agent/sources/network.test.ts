import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseArp } from '../../../agent/network/neighbors.ts'
import { parseNumbers } from '../../../agent/network/part.ts'
import { parsePerCpu } from '../../../agent/network/per-cpu.ts'
import { parseSockstat, parseStates } from '../../../agent/network/sockets.ts'
import { parseSoftnet, type Row, Unwrapped } from '../../../agent/network/softnet.ts'
import { Lines, Tables } from '../../../agent/network/tables.ts'
import { parseAuxv } from '../../../agent/page-size.ts'
import { network } from '../../../agent/sources/network.ts'
import type { Sample } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { damaged } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'network')
sourceContract(t, network, folder)

const recorded = join(folder, 'virtual-machine')
const file = (name: string): Buffer => readFileSync(join(recorded, 'input/proc/net', name))
const options = (raw: unknown) => network.options.read(raw, new Place())

t.test('states of TCP sockets are counted every five minutes, and not where there are too many sockets', async t => {
  const { host } = machine(t, recorded)
  const listening =
    'gauge system.network.connection.count{network.transport=tcp,network.connection.state=listen} {connection}'
  const made = await readings(network, options({ interval: '100s' }), host, 5)
  t.strictSame(
    made.map(r => listening in r.values),
    [true, false, false, true, false],
  )
  const [few] = await readings(network, options({ states_up_to: 3 }), host, 1)
  t.equal(listening in few!.values, false)
  t.equal('gauge system.network.tcp.allocated {socket}' in few!.values, true)
})

t.test('a damaged file is said once, and the others are told', async t => {
  const { root, host } = machine(t, recorded)
  writeFileSync(join(root, 'proc/net/softnet_stat'), '00015c73 00020e76\n')
  const [first, second] = await readings(network, options({}), host, 2)
  t.equal(second!.said.length, 1)
  t.match(second!.said[0], /network, softnet: .*softnet_stat: expected 9 numbers/)
  t.equal('gauge system.network.socket.used {socket}' in first!.values, true)
})

t.test('a tree without /proc/net has its files below the process', async t => {
  const { host } = machine(t, recorded)
  const text = 'Tcp: ActiveOpens\nTcp: 7\n'
  const own = {
    ...host,
    file: (path: string) => ({
      read: () => (path === '/proc/self/net/snmp' ? Buffer.from(text) : undefined),
      close() {},
    }),
  }
  const [reading] = await readings(network, options({}), own, 1)
  t.equal(reading!.values['counter system.network.tcp.connection.opened{network.tcp.open=active} {connection}'], 7)
})

t.test('counters of 32 bits go on over their wraps, whatever CPUs come and go', async t => {
  const random = seeded(t)
  for (let round = 0; round < 50; round++) {
    const counters = new Unwrapped()
    const truth = Array.from({ length: 4 }, () => random.below(2 ** 32))
    for (const [cpu, count] of truth.entries()) counters.add({ cpu, numbers: [count] })
    for (let n = 0; n < 20; n++) {
      for (const [cpu] of truth.entries()) {
        if (random.below(5) === 0) continue
        truth[cpu]! += random.below(2 ** 32)
        const row: Row = { cpu, numbers: [truth[cpu]! % 2 ** 32] }
        counters.add(row)
      }
      t.equal(
        counters.sum(0),
        truth.reduce((a, b) => a + b, 0),
      )
    }
  }
  t.equal(new Unwrapped().sum(0), undefined)
})

t.test('lines of old kernels have fewer numbers; the CPU is then the place of its line', async t => {
  const rows = parseSoftnet(
    Buffer.from(`${'00000001 '.repeat(9)}\n${'0000000f '.repeat(11)}\n${'00000002 '.repeat(13)}\n`),
  )
  t.strictSame(
    rows.map(({ cpu, numbers }) => [cpu, numbers.length, numbers[0]]),
    [
      [0, 9, 1],
      [1, 11, 15],
      [2, 13, 2],
    ],
  )
})

t.test('the page size stands in the auxiliary vector', async t => {
  const vector = Buffer.alloc(48)
  for (const [n, value] of [33n, 1n, 6n, 65536n, 0n, 0n].entries()) vector.writeBigUInt64LE(value, n * 8)
  t.equal(parseAuxv(vector), 65536)
  t.equal(parseAuxv(vector.subarray(0, 30)), undefined)
  vector.writeBigUInt64LE(3n, 24)
  t.equal(parseAuxv(vector), undefined, 'not the size of a page')
})

const tables = (name: string) => (bytes: Buffer) => {
  const into: Sample[] = []
  const series = { name: 'x', unit: '1', kind: 'counter', attributes: {} } as const
  const parser = name === 'snmp6' ? Lines : Tables
  new parser(`/proc/net/${name}`, () => ({ series, scale: 1, quiet: false })).read(bytes, 0, into)
  return into.map(s => s.value)
}
const parsers: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  netstat: tables('netstat'),
  snmp6: tables('snmp6'),
  sockstat: bytes => [...parseSockstat('/proc/net/sockstat', bytes).values()],
  tcp: bytes => parseStates('/proc/net/tcp', bytes),
  softnet_stat: bytes => parseSoftnet(bytes).flatMap(r => r.numbers),
  'stat/nf_conntrack': bytes => [...parsePerCpu('/proc/net/stat/nf_conntrack', bytes).sums.values()],
  'stat/arp_cache': bytes => [...parsePerCpu('/proc/net/stat/arp_cache', bytes).sums.values()],
}

t.test('whatever bytes come, a parser gives finite numbers or an error that names the file', async t => {
  const random = seeded(t)
  for (const [name, parse] of Object.entries(parsers)) {
    const whole = file(name)
    for (let n = 0; n < 400; n++) {
      const bytes = damaged(random, whole)
      try {
        const numbers = parse(bytes) as number[]
        if (!numbers.every(v => Number.isFinite(v) && v >= 0))
          t.fail(`${name}: ${numbers}`, { bytes: bytes.toString('latin1') })
      } catch (error) {
        if (!String(error).startsWith(`Error: /proc/net/${name}: `)) t.fail(`${name}: ${error}`)
      }
    }
    t.ok((parse(whole) as number[]).length > 0, name)
  }
})

t.test('the ARP table is its lines or an error', async t => {
  const random = seeded(t)
  const whole = readFileSync(join(folder, 'namespace/input/proc/net/arp'))
  t.equal(parseArp(whole), 1)
  t.throws(() => parseArp(Buffer.from('')), /\/proc\/net\/arp: line 1/)
  for (let n = 0; n < 300; n++) {
    try {
      t.ok(parseArp(damaged(random, whole)) >= 0)
    } catch (error) {
      t.match(String(error), '/proc/net/arp: ')
    }
  }
})

t.test('a line of numbers is whole or an error', async t => {
  t.strictSame(parseNumbers('/proc/sys/x', Buffer.from('1 22\t333\n'), 3), [1, 22, 333])
  for (const wrong of ['', '\n', '1', '1 2\n', '-1\n', 'x\n'])
    t.throws(() => parseNumbers('/proc/sys/x', Buffer.from(wrong)), /^\/proc\/sys\/x: expected/, wrong)
})
