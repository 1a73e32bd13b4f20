// Scores to compare with, fitted on all training rows at once.

type Rows = readonly Float64Array[]

/** Share of the variance that the components keep. */
const kept = 0.75
const sweeps = 30

/** Evenly in [0, 1), the same in every run. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** The distance from the mean, each series in its own standard deviations. */
export function distance(train: Rows, test: Rows): Float64Array {
  const scale = scaling(train)
  return Float64Array.from(test, row => Math.sqrt(scale(row).reduce((sum, value) => sum + value * value, 0)))
}

/** What principal components of the scaled series leave unexplained. */
export function reconstruction(train: Rows, test: Rows): Float64Array {
  const scale = scaling(train)
  const components = principal(covariance(train.map(scale)))
  return Float64Array.from(test, row => {
    const scaled = scale(row)
    let left = scaled.reduce((sum, value) => sum + value * value, 0)
    for (const component of components) left -= dot(component, scaled) ** 2
    return left
  })
}

/** Series that never change in training are left out. */
function scaling(train: Rows): (row: Float64Array) => Float64Array {
  const width = train[0]!.length
  const mean = new Float64Array(width)
  const variance = new Float64Array(width)
  for (const row of train) for (let s = 0; s < width; s++) mean[s]! += row[s]! / train.length
  for (const row of train) for (let s = 0; s < width; s++) variance[s]! += (row[s]! - mean[s]!) ** 2 / train.length
  return row => row.map((value, s) => (variance[s]! > 1e-18 ? (value - mean[s]!) / Math.sqrt(variance[s]!) : 0))
}

function covariance(rows: Rows): Float64Array[] {
  const width = rows[0]!.length
  const sums = Array.from({ length: width }, () => new Float64Array(width))
  for (const row of rows) {
    for (let a = 0; a < width; a++) for (let b = 0; b < width; b++) sums[a]![b]! += (row[a]! * row[b]!) / rows.length
  }
  return sums
}

/** The eigenvectors that keep so much of the variance, by Jacobi's rotations. */
function principal(matrix: Float64Array[]): readonly Float64Array[] {
  const width = matrix.length
  const vectors = matrix.map((_, n) => Float64Array.from({ length: width }, (_, m) => Number(n === m)))
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let a = 0; a < width; a++) for (let b = a + 1; b < width; b++) rotate(matrix, vectors, a, b)
  }
  const order = [...matrix.keys()].sort((a, b) => matrix[b]![b]! - matrix[a]![a]!)
  const all = matrix.reduce((sum, row, n) => sum + row[n]!, 0)
  let sum = 0
  return order
    .filter(n => {
      const isWanted = sum < kept * all
      sum += matrix[n]![n]!
      return isWanted
    })
    .map(n => vectors[n]!)
}

/** Makes the entry at (a, b) zero; the vectors, as rows, turn along. */
function rotate(matrix: Float64Array[], vectors: Float64Array[], a: number, b: number): void {
  const off = matrix[a]![b]!
  if (Math.abs(off) < 1e-12) return
  const theta = (matrix[b]![b]! - matrix[a]![a]!) / (2 * off)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const cos = 1 / Math.sqrt(t * t + 1)
  const sin = t * cos
  for (const row of matrix) [row[a], row[b]] = [cos * row[a]! - sin * row[b]!, sin * row[a]! + cos * row[b]!]
  for (const rows of [matrix, vectors]) {
    const [x, y] = [rows[a]!, rows[b]!]
    for (let n = 0; n < x.length; n++) [x[n], y[n]] = [cos * x[n]! - sin * y[n]!, sin * x[n]! + cos * y[n]!]
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let n = 0; n < a.length; n++) sum += a[n]! * b[n]!
  return sum
}
