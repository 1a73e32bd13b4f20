import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseOptics } from '../../../agent/ethtool/optics.ts'
import { parsePause, parseStatistics, priorityPauseOf } from '../../../agent/ethtool/statistics.ts'
import { ethtool } from '../../../agent/sources/ethtool.ts'
import type { CommandOutput } from '../../../core/host-command.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { damaged } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

// The optics were printed by ethtool 6.1 from the memory of modules as SFF-8472 and SFF-8636 lay it out.
const folder = join(import.meta.dirname, 'ethtool')
sourceContract(t, ethtool, folder)

const recorded = (path: string): string => readFileSync(join(folder, path), 'utf8')
const options = (raw: unknown) => ethtool.options.read(raw, new Place())
const answer = (stdout: string, status = 0): CommandOutput => ({ stdout: Buffer.from(stdout), status, stderr: '' })

t.test('an interface is not asked again for a while for what it does not have', async t => {
  const { host } = machine(t, join(folder, 'copper'))
  const asked: string[] = []
  const counting: typeof host = {
    ...host,
    run: (command, args, limits) => {
      asked.push(args.join(' '))
      return host.run(command, args, limits)
    },
  }
  await readings(ethtool, options({ include: ['eno*'] }), counting, 11)
  const times = (args: string): number => asked.filter(one => one === args).length
  t.equal(times('--include-statistics -a eno3'), 11)
  t.equal(times('-S eno3'), 2, 'it has no statistics of priorities')
  t.equal(times('-m eno3'), 2, 'a copper cable measures nothing')
})

t.test('without a choice those with hardware are asked, and only Ethernet and InfiniBand', async t => {
  const { root, host } = machine(t, join(folder, 'copper'))
  const asked: string[] = []
  const counting: typeof host = {
    ...host,
    run: async (_, args) => {
      asked.push(args.at(-1)!)
      return undefined
    },
  }
  for (const [name, type, hardware] of [
    ['eno1', 1, true],
    ['ib0', 32, true],
    ['br0', 1, false],
    ['can0', 280, true],
  ]) {
    mkdirSync(join(root, `sys/class/net/${name}`, hardware ? 'device/power' : 'queues'), { recursive: true })
    writeFileSync(join(root, `sys/class/net/${name}/type`), `${type}\n`)
  }
  await readings(ethtool, options({ optics: false, pause: false, statistics: ['*'] }), counting, 1)
  t.strictSame(asked, ['eno1', 'ib0'])
})

t.test('a program that fails is a trouble of its question alone, said once', async t => {
  const { host } = machine(t, join(folder, 'priority-pauses'))
  const failing: typeof host = {
    ...host,
    run: async (command, args, limits) => {
      if (args[0] === '-m') throw new Error('ethtool -m eno1: no answer within 5 s')
      if (args[0] === '-S') return answer('NIC statistics:\n     rx_packets\n')
      return host.run(command, args, limits)
    },
  }
  const made = await readings(ethtool, options({ include: ['eno1'] }), failing, 3)
  t.equal(Object.keys(made[2]!.values).length, 4)
  t.strictSame(made[2]!.said, [
    'warning source ethtool, -S eno1: ethtool -S eno1: expected a statistic, got "     rx_packets"',
    'warning source ethtool, -m eno1: ethtool -m eno1: no answer within 5 s',
  ])
})

t.test('of very many statistics some are told, and that is said once', async t => {
  const { host } = machine(t, join(folder, 'copper'))
  const lines = Array.from({ length: 300 }, (_, n) => `     queue_${n}_packets: ${n}\n`)
  const flooding: typeof host = { ...host, run: async () => answer(`NIC statistics:\n${lines.join('')}`) }
  const all = options({ include: ['eno*'], statistics: ['*'], pause: false, optics: false })
  const made = await readings(ethtool, all, flooding, 2)
  t.equal(Object.keys(made[1]!.values).length, 256)
  t.strictSame(made[1]!.said, ['warning source ethtool, -S eno3: only 256 of 300 statistics are told'])
})

t.test('drivers have several names for the pauses of a priority', async t => {
  const found = [
    'rx_prio3_pause',
    'tx_pause_prio_0',
    'rx_pfc_ena_frames_pri7',
    'tx_priority_4_xoff.nic',
    'port.rx_priority_1_xoff',
    'rx_pb_2_pxoff',
  ].map(name => priorityPauseOf(name, 5))
  t.strictSame(
    found.map(one => [one?.kind, one?.direction, one?.priority, one?.value]),
    [
      ['frames', 'receive', 3, 5],
      ['frames', 'transmit', 0, 5],
      ['frames', 'receive', 7, 5],
      ['frames', 'transmit', 4, 5],
      ['frames', 'receive', 1, 5],
      ['frames', 'receive', 2, 5],
    ],
  )
  t.strictSame(priorityPauseOf('tx_prio6_pause_duration', 2_500_000)?.value, 2.5)
  for (const other of ['rx_prio3_pause_transition', 'rx_prio8_pause', 'tx_priority_4_xon.nic', 'rx_pause_ctrl_phy'])
    t.equal(priorityPauseOf(other, 1), undefined, other)
})

t.test('whatever a program prints, it is numbers or an error that names the command', async t => {
  const random = seeded(t)
  const parsers: readonly (readonly [string, (text: string) => readonly number[]])[] = [
    ['priority-pauses/statistics.txt', text => parseStatistics('ethtool -S x', text).map(([, value]) => value)],
    ['priority-pauses/pause.txt', text => Object.values(parsePause('ethtool -a x', text).frames)],
    ['priority-pauses/optics.txt', text => numbersOf(text)],
    ['four-lanes/optics.txt', text => numbersOf(text)],
  ]
  for (const [path, parse] of parsers) {
    const whole = Buffer.from(recorded(path))
    t.ok(parse(recorded(path)).length > 0, path)
    for (let n = 0; n < 400; n++) {
      try {
        const numbers = parse(damaged(random, whole).toString('utf8'))
        if (!numbers.every(Number.isFinite)) t.fail(`${path}: ${numbers}`)
      } catch (error) {
        t.match(String(error), /^Error: ethtool -[Sam] x: /)
      }
    }
  }
})

t.test('a program that floods its lines with blanks does not hold up the agent', async t => {
  const blanks = ' '.repeat(500_000)
  const lines = '\n'.repeat(500_000)
  t.equal(parseOptics('ethtool -m x', `\tModule voltage${blanks}\n`), undefined)
  t.equal(parseOptics('ethtool -m x', `\t${blanks}\n\t${lines}`), undefined)
  t.throws(() => parseStatistics('ethtool -S x', `NIC statistics:\n     a${blanks}\n`), /expected a statistic/)
  t.strictSame(parsePause('ethtool -a x', `Pause parameters for x:\nRX:${blanks}\n${lines}`).frames, {})
})

function numbersOf(text: string): readonly number[] {
  const optics = parseOptics('ethtool -m x', text)
  return [...(optics?.values ?? []), ...(optics?.limits ?? [])].map(one => one.value)
}
