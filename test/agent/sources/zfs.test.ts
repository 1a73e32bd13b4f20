import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { zfs } from '../../../agent/sources/zfs.ts'
import { numberOf, parseNamed, parseRow, parseState } from '../../../agent/zfs/kstat.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'zfs')
sourceContract(t, zfs, folder)

const defaults = zfs.options.read({}, new Place())
const recorded = join(folder, 'pool-degrades')
const kstat = 'proc/spl/kstat/zfs'

t.test('a state is told once, over restarts too, and so is its end', async t => {
  const keep = memoryKeep()
  const { root, host } = machine(t, recorded)
  const state = join(root, kstat, 'tank/state')
  const changes = async (now: string): Promise<string[]> => {
    writeFileSync(state, `${now}\n`)
    const made = await readings(zfs, defaults, host, 2, undefined, keep)
    return made.flatMap(r => r.events.map(e => `${e.severity} ${JSON.stringify(e.body)}`))
  }
  t.strictSame(await changes('ONLINE'), [])
  t.strictSame(await changes('SUSPENDED'), ['critical {"before":"online","now":"suspended"}'])
  t.strictSame(await changes('SUSPENDED'), [])
  t.strictSame(await changes('ONLINE'), ['info {"before":"suspended","now":"online"}'])
})

t.test('a state that nobody knows is said, and the other files go on', async t => {
  const { root, host } = machine(t, recorded)
  writeFileSync(join(root, kstat, 'tank/state'), 'MELTED\n')
  const [reading] = await readings(zfs, defaults, host, 1)
  t.match(reading!.said, [/^warning \S+tank\/state: .*expected one of online, .*got melted/])
  t.equal(Object.keys(reading!.values).filter(key => key.includes('dataset')).length, 8)
})

t.test('pools and datasets that come and go are met within a minute', async t => {
  const { root, host } = machine(t, recorded)
  let n = 0
  const between = (): void => {
    if (++n !== 1) return
    rmSync(join(root, kstat, 'tank/objset-0x36'))
    mkdirSync(join(root, kstat, 'new'))
    writeFileSync(join(root, kstat, 'new/state'), 'ONLINE\n')
  }
  const made = await readings(zfs, defaults, host, 8, between)
  const has = (part: string): boolean[] => made.map(r => Object.keys(r.values).some(key => key.includes(part)))
  t.strictSame(has('dataset.name=tank,'), [true, ...Array(7).fill(false)])
  t.strictSame([has('pool.name=new')[1], has('pool.name=new')[7]], [false, true])
})

t.test('more datasets than are read are said once', async t => {
  const root = t.testdir({})
  mkdirSync(join(root, kstat, 'tank'), { recursive: true })
  const whole = readFileSync(join(recorded, 'input', kstat, 'tank/objset-0x36'), 'utf8')
  for (let n = 0; n < 300; n++) {
    writeFileSync(join(root, kstat, `tank/objset-0x${n.toString(16)}`), whole.replace(' tank\n', ` tank/${n}\n`))
  }
  const made = await readings(zfs, defaults, fakeHost(root), 8)
  t.equal(Object.keys(made[0]!.values).length, 256 * 4)
  t.strictSame(made.at(-1)!.said, ['warning datasets: more than 256, the last are not read'])
})

t.test('a counter that went below zero has no value', async t => {
  const values = new Map([['zil', '18446744073709537686']])
  t.equal(numberOf('/x', values, 'zil'), undefined)
  t.equal(numberOf('/x', values, 'other'), undefined)
  t.throws(() => numberOf('/x', new Map([['hits', '4.5']]), 'hits'), { message: /^\/x: expected a number for hits/ })
})

t.test('tables cut anywhere or changed at random are errors that name the file, or other tables', async t => {
  const random = seeded(t)
  const strange: string[] = []
  const files = ['arcstats', 'tank/objset-0x36', 'tank/state', 'archive/io'].map(name =>
    readFileSync(join(recorded, 'input', kstat, name)),
  )
  for (let n = 0; n < 4000; n++) {
    const whole = random.pick(files)
    const bytes = Buffer.from(whole.subarray(0, random.below(4) === 0 ? random.below(whole.length) : whole.length))
    for (let change = random.below(3); change > 0 && bytes.length > 0; change--) {
      bytes[random.below(bytes.length)] = random.below(256)
    }
    for (const parse of [parseNamed, parseRow, parseState]) {
      try {
        const table = parse('/x', bytes)
        if (typeof table !== 'string') numberOf('/x', table, 'nread')
      } catch (error) {
        if (!(error as Error).message.startsWith('/x: expected')) strange.push(String(error))
      }
    }
  }
  t.strictSame(strange, [])
})
