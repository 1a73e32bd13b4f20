import t, { type Test } from 'tap'
import { type Polled, polled } from '../../agent/polled.ts'
import type { Emit, Running } from '../../agent/source.ts'
import { Refused } from '../../core/errors.ts'
import type { Observation, Series } from '../../core/model.ts'
import { type FakeHost, fakeHost } from './fake-host.ts'

const value: Series = { name: 'value', unit: '1', kind: 'gauge', attributes: {} }
const one = (time: number, samples = 1): Observation => ({
  samples: Array.from({ length: samples }, (_, n) => ({ series: value, time, value: n })),
  events: [],
})

interface Rig {
  readonly host: FakeHost
  readonly stop: AbortController
  readonly source: Running
  /** What was said, each `severity message`. */
  readonly said: string[]
}

/** A source on a fake clock that stops by itself after `readings`; `read` gets the number of the reading, from 1. */
function rig(t: Test, readings: number, read: (n: number, time: number, rig: Rig) => Observation, options = {}): Rig {
  const said: string[] = []
  const stop = new AbortController()
  const host = fakeHost(t.testdir({}), 3300)
  let n = 0
  const reading: Polled['read'] = time => {
    if (++n >= readings) stop.abort()
    return read(n, time, made)
  }
  const say = (severity: string, message: string): void => void said.push(`${severity} ${message}`)
  const source = polled({ name: 'probe', interval: 10_000, host, say, read: reading, ...options })
  const made: Rig = { host, stop, source, said }
  return made
}

/** Runs it to its end; gives what was emitted, as `time name=value` without the durations. */
async function run(made: Rig, emit?: (o: Observation, call: number) => void): Promise<string[][]> {
  const emitted: string[][] = []
  let calls = 0
  const take: Emit = async o => {
    emit?.(o, ++calls)
    const short = o.samples.filter(s => s.series.name !== 'fieldline.source.duration')
    emitted.push(short.map(s => `${s.time - Date.UTC(2025, 0, 1)} ${s.series.name}=${s.value}`))
  }
  await made.source.run(take, made.stop.signal)
  return emitted
}

const times = (emitted: string[][]): number[] => emitted.map(o => Number(o[0]!.split(' ')[0]))

t.test('readings are dated to multiples of the interval and say how they went', async t => {
  const emitted = await run(rig(t, 3, (_, time) => one(time)))
  t.strictSame(emitted, [
    ['10000 value=0', '10000 fieldline.source.success=1'],
    ['20000 value=0', '20000 fieldline.source.success=1'],
    ['30000 value=0', '30000 fieldline.source.success=1'],
  ])
})

t.test('a reading tells how long it took, in seconds, under the name of its source', async t => {
  const made = rig(t, 1, (_, time, { host }) => {
    host.pass(1250)
    return one(time)
  })
  let seen: Observation | undefined
  await run(made, o => {
    seen = o
  })
  const took = seen!.samples.find(s => s.series.name === 'fieldline.source.duration')!
  t.equal(took.value, 1.25)
  t.strictSame(took.series, {
    name: 'fieldline.source.duration',
    unit: 's',
    kind: 'gauge',
    attributes: { source: 'probe' },
  })
})

t.test('series are the same objects at each reading', async t => {
  const seen = new Set<Series>()
  await run(
    rig(t, 5, (_, time) => one(time)),
    o => {
      for (const { series } of o.samples) seen.add(series)
    },
  )
  t.equal(seen.size, 3)
})

t.test('a timer that fires early or late moves no tick', async t => {
  const made = rig(t, 40, (_, time) => one(time))
  const { sleep } = made.host
  let n = 0
  const uneven = { ...made.host, sleep: (ms: number, s: AbortSignal) => sleep(ms + [-0.8, 0, 7.4, 15][n++ % 4]!, s) }
  Object.assign(made.host, { sleep: uneven.sleep })
  t.strictSame(
    times(await run(made)),
    Array.from({ length: 40 }, (_, k) => 10_000 * (k + 1)),
  )
})

t.test('a reading well behind its tick carries the true time', async t => {
  const made = rig(t, 2, (_, time) => one(time))
  const { sleep } = made.host
  Object.assign(made.host, { sleep: (ms: number, s: AbortSignal) => sleep(ms + 300, s) })
  t.strictSame(times(await run(made)), [10_300, 20_300])
})

t.test('ticks that pass while a reading runs are skipped and counted, never piled up', async t => {
  const made = rig(t, 4, (n, time, { host }) => {
    if (n === 2) host.pass(34_000)
    return one(time)
  })
  const emitted = await run(made)
  t.strictSame(times(emitted), [10_000, 20_000, 60_000, 70_000])
  t.equal(emitted[1]!.length, 2)
  t.strictSame(emitted[2]!.at(-1), '60000 fieldline.source.skipped=3')
  t.strictSame(emitted[3]!.at(-1), '70000 fieldline.source.skipped=3')
})

for (const hours of [-1, 1]) {
  t.test(`a clock stepped by ${hours} h and 3.7 s neither stalls nor spins nor counts as skipped`, async t => {
    const began: number[] = []
    const made = rig(t, 12, (n, time, { host }) => {
      began.push(host.monotonic())
      if (n === 4) host.step(hours * 3_603_700)
      if (n === 8) host.step(-hours * 3_603_700)
      return one(time)
    })
    const emitted = await run(made)
    const gaps = began.slice(1).map((at, n) => at - began[n]!)
    t.ok(
      gaps.every(gap => gap >= 5000 && gap <= 15_000),
      `gaps ${gaps}`,
    )
    t.notMatch(JSON.stringify(emitted), /skipped/)
    t.equal(made.host.sleeps, 13, 'one for each reading, and the one that is aborted')
    t.ok(
      times(emitted).every(time => time % 10_000 === 0),
      'dated by the clock as it stands, on its multiples',
    )
  })
}

t.test('a reading that throws is success 0 without values, said once, and over once it works', async t => {
  const made = rig(t, 6, (n, time) => {
    if (n >= 2 && n <= 4) throw new Error(`/proc/x: nonsense at byte ${n}`, { cause: new Error('why') })
    return one(time)
  })
  const emitted = await run(made)
  t.strictSame(emitted[2], ['30000 fieldline.source.success=0'])
  t.strictSame(emitted[4], ['50000 value=0', '50000 fieldline.source.success=1'])
  t.strictSame(made.said, ['error source probe: /proc/x: nonsense at byte 2: why', 'info source probe: works again'])
})

t.test('what could not be handed on goes with the next tick, in order, nothing twice', async t => {
  const made = rig(t, 6, (_, time) => one(time))
  const emitted = await run(made, (_, call) => {
    // Readings 2, then 2 and 3, then 2, 3 and 4 fail.
    if (call >= 2 && call <= 7) throw new Error('disk full')
  })
  t.strictSame(times(emitted), [10_000, 20_000, 30_000, 40_000, 50_000, 60_000])
  t.notMatch(JSON.stringify(emitted), /lost/)
  t.strictSame(made.said, [
    'warning source probe: cannot hand on readings, keeping them: disk full',
    'info source probe: hands on readings again',
  ])
})

t.test('about 10,000 samples are kept; the oldest beyond are dropped and counted', async t => {
  const made = rig(t, 8, (_, time) => one(time, 2998))
  let down = true
  const emitted = await run(made, o => {
    if (o.samples[0]!.time - Date.UTC(2025, 0, 1) >= 70_000) down = false
    if (down) throw new Error('disk full')
  })
  // Readings of 3,000 samples each with their own two; three fit.
  t.strictSame(
    times(emitted).sort((a, b) => a - b),
    [40_000, 50_000, 60_000, 70_000, 80_000],
  )
  t.match(emitted.at(-1)!.at(-1), /fieldline.source.lost=900\d$/)
})

t.test('a refused reading is not tried again: it is lost, said and counted, and the others go', async t => {
  const made = rig(t, 3, (_, time) => one(time, 5))
  const emitted = await run(made, (_, call) => {
    if (call === 1) throw new Refused('dated in 2090')
  })
  t.strictSame(times(emitted), [20_000, 30_000])
  t.strictSame(emitted[0]!.at(-1), '20000 fieldline.source.lost=7')
  t.strictSame(made.said, ['error source probe: its reading was refused: dated in 2090; 7 samples are lost'])
})

t.test('at the end what is kept is tried once more, and what still fails is said to be lost', async t => {
  const made = rig(t, 2, (_, time) => one(time))
  await run(made, () => {
    throw new Error('disk full')
  })
  t.match(made.said.at(-1), /it ends before its reading could be handed on; 3 samples are lost$/)
})

t.test('an abort ends it: before the start without reading, later between two readings; it may run again', async t => {
  let closed = 0
  let reads = 0
  const read = (_: number, time: number): Observation => {
    reads++
    return one(time)
  }
  const made = rig(t, 2, read, { close: () => closed++ })
  const before = AbortSignal.abort()
  await made.source.run(async () => {}, before)
  t.equal(reads, 0)
  await run(made)
  t.equal(reads, 2)
  await made.source.run(async () => {}, made.stop.signal)
  t.equal(reads, 2)
  t.equal(closed, 3, 'each run gives back what it held')
})

t.test('a reading that the stop breaks off is neither told nor called a failure', async t => {
  const made = rig(t, 2, (n, time, { stop }) => {
    if (stop.signal.aborted) throw new Error('stopped')
    return one(time, n)
  })
  t.strictSame(times(await run(made)), [10_000], 'the first one alone')
  t.strictSame(made.said, [])
})

t.test('an abort while it waits on a real clock ends it at once', async t => {
  const stop = new AbortController()
  const host = (await import('../../core/host.ts')).realHost(t.testdir({}))
  const source = polled({ name: 'probe', interval: 86_400_000, host, say: () => {}, read: time => one(time) })
  const running = source.run(async () => {}, stop.signal)
  stop.abort()
  stop.abort()
  await running
  t.pass()
})

t.test('one reading for a person has what was read and nothing of the source itself', async t => {
  let closed = 0
  const made = rig(t, 9, (_, time) => one(time), { close: () => closed++ })
  const seen = await made.source.once!(made.stop.signal)
  t.strictSame(
    seen.samples.map(s => s.series.name),
    ['value'],
  )
  t.equal(closed, 1)
})
