import { statSync } from 'node:fs'
import t from 'tap'
import { demo } from './demo-child.ts'

t.test('the plant: a rule cools the press at once, a failed sensor is an event, and nothing is lost', async t => {
  const { child, lines, errors, line, ended } = demo(t, t.testdir(), '--scene', 'plant')
  await line(/The page is at/)
  t.match(lines[0], /Both PLCs are simulated/)
  await line(/event {4}press\.oil\.hot {2}oil above 80/)
  await line(/event {4}fieldline\.order\.outcome {2}press\.cooling = true: done/)
  await line(/event {4}fieldline\.order\.outcome {2}line\.valve\.open = false: done/)
  await line(/event {4}opcua\.quality\.bad {2}BadSensorFailure/)
  await line(/finding {2}press-oil-hot: press\.oil\.temperature is \d+.*above 80 for 3 s/)
  await line(/event {4}press\.oil\.normal/)
  await line(/finding {2}press-oil-hot: over/)
  child.kill('SIGINT')
  t.equal(await ended, 0, errors.join(''))
  const sum = JSON.parse(lines.at(-1)!)
  t.match(sum, { lost: 0, duplicated: 0, committed: sum.read - sum.waiting })
  t.ok(sum.series > 10 && sum.findings >= 1, JSON.stringify(sum))
})

t.test('a scene that is none is a usage error', async t => {
  const { errors, ended } = demo(t, t.testdir(), '--scene', 'farm')
  t.equal(await ended, 2)
  t.match(errors.join(''), /--scene farm: one of press, plant/)
})

t.test(
  'the ward: a low saturation, and later a high pressure, raises the alarm and lights the lamp, and nothing is lost',
  async t => {
    const state = t.testdir()
    const { child, lines, errors, line, ended } = demo(t, state, '--scene', 'ward')
    await line(/The page is at/)
    t.match(lines[0], /All devices are simulated/)
    await line(/event {4}hl7\.patient\.admitted {2}WARD3\/304\/1 {2}\d{8}-[\w-]{20}$/)
    t.equal(statSync(`${state}/hl7-pseudonyms`).mode & 0o777, 0o600, 'the key is for its owner alone')
    await line(/simulated monitor 304-2: SpO2 falls to 82 %/)
    const [, took] = /simulated lamp: on, (\d+) ms after/.exec(await line(/simulated lamp: on/))!
    t.comment(`HL7 message to coil: ${took} ms`)
    await line(/event {4}ward\.alarm {2}SpO2 or systolic pressure out of limits/)
    await line(/event {4}fieldline\.order\.outcome {2}lamp\.red = true: done/)
    await line(/finding {2}spo2-low: mdc\.puls_oxim_sat_o2 is 82, below 90 for 3 s/)
    await line(/simulated lamp: off/)
    await line(/event {4}ward\.alarm\.end/)
    await line(/simulated monitor 304-1: systolic pressure rises to about 195 mmHg/)
    await line(/finding {2}systolic-high: mdc\.press_bld_art_sys is \d+, above 180 for 3 s/)
    const told = (what: RegExp): number => lines.filter(text => what.test(text)).length
    t.equal(told(/simulated lamp: on/), told(/SpO2 falls to|pressure rises to/), 'the lamp is lit once for each')
    child.kill('SIGINT')
    t.equal(await ended, 0, errors.join(''))
    const sum = JSON.parse(lines.at(-1)!)
    t.match(sum, { lost: 0, duplicated: 0, committed: sum.read - sum.waiting })
    t.ok(sum.series > 10 && sum.findings >= 1, JSON.stringify(sum))
  },
)

t.test('both scenes end by themselves', async t => {
  const state = t.testdir()
  const all = ['plant', 'ward'].map(scene => demo(t, `${state}/${scene}`, '--scene', scene, '--for', '8s'))
  for (const { lines, errors, ended } of all) {
    t.equal(await ended, 0, errors.join(''))
    const sum = JSON.parse(lines.at(-1)!)
    t.match(sum, { committed: sum.read, lost: 0, duplicated: 0 })
  }
})
