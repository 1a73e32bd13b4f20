import t from 'tap'
import { fitHazard } from '../../../bench/disks/rivals/hazard.ts'
import { days, Lstm, metrics, trainLstm } from '../../../bench/disks/rivals/lstm.ts'
import { features } from '../../../judge/disks/features.ts'
import { random } from '../../random.ts'

const rng = random(5)
const sequence = (rises: boolean) =>
  Float32Array.from({ length: days * metrics }, (_, n) => rng() * 0.2 + (rises && n > 20 * metrics ? 0.5 : 0))

t.test('the slope of the LSTM is the slope of its loss', async t => {
  const lstm = new Lstm(1)
  const x = sequence(true)
  const slope = new Float64Array(lstm.weights.length)
  lstm.learn(x, 1, slope)
  const loss = () => Math.log(1 + Math.exp(-lstm.run(x)))
  for (let n = 0; n < slope.length; n += 37) {
    const weight = lstm.weights[n]!
    lstm.weights[n] = weight + 1e-5
    const above = loss()
    lstm.weights[n] = weight - 1e-5
    const measured = (above - loss()) / 2e-5
    lstm.weights[n] = weight
    t.ok(Math.abs(measured - slope[n]!) < 1e-6, `weight ${n}: ${slope[n]}, measured ${measured}`)
  }
})

t.test('the LSTM learns what rises at the end', async t => {
  const y = Array.from({ length: 200 }, (_, n) => n % 2)
  const lstm = trainLstm({ x: y.map(label => sequence(label === 1)), y }, 8, 2)
  t.ok(lstm.run(sequence(true)) > 1)
  t.ok(lstm.run(sequence(false)) < -1)
})

t.test('the hazard model finds the hazard', async t => {
  const age = features.findIndex(({ name }) => name === 'age')
  const rows = Array.from({ length: 20_000 }, () => {
    const x = new Float64Array(features.length)
    x[age] = rng() < 0.5 ? 24 * 10 : 24 * 200
    return x
  })
  const y = rows.map(x => (rng() < (x[age]! > 1000 ? 0.06 : 0.02) ? 1 : 0))
  const b = fitHazard({ row: n => rows[n]!, y, weight: y.map(() => 1) })
  t.ok(Math.abs(b[0]! - Math.log(0.02)) < 0.3, `${b[0]}`)
  const older = b.at(-5)!
  t.ok(Math.abs(older - Math.log(3)) < 0.3, `after 90 days the hazard is three times as high: ${older}`)
})
