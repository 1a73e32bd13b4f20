import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseChrony } from '../../../agent/chrony/report.ts'
import { memoryKeep } from '../../../agent/keep.ts'
import { chrony } from '../../../agent/sources/chrony.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

sourceContract(t, chrony, join(import.meta.dirname, 'chrony'))

const defaults = chrony.options.read({}, new Place())
const recorded = readFileSync(join(import.meta.dirname, 'chrony/synchronized/chronyc.csv'), 'utf8')
const answer = (stdout: string, status = 0, stderr = '') => ({ stdout: Buffer.from(stdout), status, stderr })

t.test('a daemon that does not run, or does not answer us, is no data', async t => {
  for (const said of ['506 Cannot talk to daemon\n', '501 Not authorised\n', '']) {
    const run = async () => answer(said, 1)
    const [reading] = await readings(chrony, defaults, { ...fakeHost(t.testdir({})), run }, 1)
    t.strictSame([reading!.success, reading!.values, reading!.said], [true, {}, []], said)
  }
})

t.test('chronyd is asked at most every 10 s', async t => {
  let asked = 0
  const run = async () => {
    asked++
    return answer(recorded)
  }
  const options = chrony.options.read({ interval: '1s' }, new Place())
  const made = await readings(chrony, options, { ...fakeHost(t.testdir({})), run }, 21)
  t.equal(asked, 3)
  t.strictSame(
    [0, 1, 10, 20].map(n => Object.keys(made[n]!.values).length > 0),
    [true, false, true, true],
  )
})

t.test('where no chronyd answers it is asked once a minute', async t => {
  let asked = 0
  const run = async () => {
    asked++
    return answer('506 Cannot talk to daemon\n', 1)
  }
  await readings(chrony, defaults, { ...fakeHost(t.testdir({})), run }, 12)
  t.equal(asked, 2, 'within 110 s')
})

t.test('a clock that follows itself is not synchronized', async t => {
  const local = '7F7F0101,,8,1795648199.565899111,0.0,0.0,0.0,0.000,0.000,0.000,0.0,0.0,0.0,Normal\n'
  t.equal(parseChrony(answer(local))?.tracking.synchronized, false)
})

t.test('a source that changed while no agent ran is told', async t => {
  const keep = memoryKeep()
  const host = (address: string) => ({
    ...fakeHost(t.testdir({})),
    run: async () => answer(recorded.replaceAll('127.0.0.1', address)),
  })
  const [first] = await readings(chrony, defaults, host('192.0.2.1'), 2, () => {}, keep)
  t.strictSame(first!.events, [])
  const [next] = await readings(chrony, defaults, host('192.0.2.2'), 1, () => {}, keep)
  t.match(next!.events, [{ name: 'ntp.reference', body: { from: '192.0.2.1', to: '192.0.2.2' } }])
  for (const text of ['{', 'null', '7', '{"reference":1}']) {
    const [reading] = await readings(chrony, defaults, host('192.0.2.3'), 1, () => {}, memoryKeep(text))
    t.strictSame(reading!.events, [], text)
  }
})

t.test('more sources than are told are said once', async t => {
  const [first] = recorded.split('\n')
  const many = Array.from({ length: 100 }, (_, n) => `^,-,192.0.2.${n},2,6,377,1,0.0,0.0,0.1`)
  const run = async () => answer([first, ...many, ''].join('\n'))
  const made = await readings(chrony, defaults, { ...fakeHost(t.testdir({})), run }, 3)
  t.strictSame(made.at(-1)!.said, ['warning source chrony: 100 sources, the first 64 are told'])
  t.equal(Object.keys(made[0]!.values).filter(key => key.includes('selected')).length, 64)
})

t.test('a damaged answer is an error that names chronyc, or values that are in it', async t => {
  const random = seeded(t)
  for (let n = 0; n < 3000; n++) {
    const text = random.damage(recorded)
    try {
      const told = parseChrony(answer(text))
      if (told === undefined) continue
      t.ok([...told.tracking.values, told.tracking.stratum].every(Number.isFinite))
      t.ok(told.sources.every(s => Number.isFinite(s.offset) && s.reach <= 255))
    } catch (error) {
      if (!/chronyc/.test(String(error))) t.fail(String(error))
    }
  }
})
