import t from 'tap'
import { bin } from '../../../bench/disks/bins.ts'
import { type Columns, type Growth, grow } from '../../../bench/disks/grow.ts'
import { contributions, logOdds } from '../../../judge/disks/trees.ts'
import { random } from '../../random.ts'

const growth: Growth = {
  trees: 30,
  rate: 0.2,
  leaves: 8,
  leastHessian: 0.5,
  leastGain: 0,
  ridge: 1,
  features: 1,
  rows: 0.8,
  bins: 32,
  seed: 7,
}
const width = 3

/** The first feature raises the risk, with noise that would make a free tree go down in places; the second is unknown now
 *  and then; the third is nothing. */
function made(rows: number, direction: -1 | 0 | 1): Columns {
  const rng = random(3)
  const x = new Float32Array(rows * width)
  const y: number[] = []
  for (let n = 0; n < rows; n++) {
    x[n * width] = rng.below(20)
    x[n * width + 1] = rng() < 0.3 ? Number.NaN : rng()
    x[n * width + 2] = rng()
    y.push(rng() < 0.1 + x[n * width]! / 40 + (Number.isNaN(x[n * width + 1]!) ? 0.2 : 0) ? 1 : 0)
  }
  return { x, width, y, weight: y.map(() => 1), directions: [direction, 0, 0] }
}

const forestOf = (data: Columns, seed = growth.seed) => grow(data, bin(data, growth.bins), { ...growth, seed })

t.test('the same seed grows the same trees, another seed others', async t => {
  const data = made(2000, 1)
  t.strictSame(forestOf(data), forestOf(data))
  t.notSame(forestOf(data), forestOf(data, 8))
})

t.test('where more is never better, the answer never falls', async t => {
  const falls = (direction: -1 | 0 | 1) => {
    const forest = forestOf(made(1500, direction))
    let count = 0
    for (const second of [0.1, 0.5, 0.9, Number.NaN])
      for (let value = 1; value < 20; value++)
        if (logOdds(forest, [value, second, 0.5]) < logOdds(forest, [value - 1, second, 0.5]) - 1e-12) count++
    return count
  }
  t.equal(falls(1), 0)
  t.ok(falls(0) > 0, 'left free, it does fall')
})

t.test('it learns what there is, and what it means not to know', async t => {
  const forest = forestOf(made(4000, 1))
  t.ok(logOdds(forest, [19, 0.5, 0.5]) > logOdds(forest, [0, 0.5, 0.5]) + 0.8)
  t.ok(logOdds(forest, [5, Number.NaN, 0.5]) > logOdds(forest, [5, 0.5, 0.5]) + 0.3)
})

t.test('contributions add up to the answer', async t => {
  const forest = forestOf(made(2000, 1))
  const x = [13, 0.2, 0.9]
  const each = contributions(forest, x, new Float64Array(width))
  const roots = forest.trees.reduce((sum, tree) => sum + tree.value[0]!, forest.base)
  t.ok(Math.abs(roots + each.reduce((sum, value) => sum + value, 0) - logOdds(forest, x)) < 1e-9)
  t.ok(each[0]! > Math.abs(each[2]!))
})
