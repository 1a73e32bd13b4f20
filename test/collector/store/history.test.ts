import t from 'tap'
import { type History, openHistory, type Ref } from '../../../collector/store/history.ts'
import type { Series } from '../../../core/model.ts'
import { type Random, seeded } from '../../random.ts'
import { differences, expectBuckets, expectRange, type Kept } from './model.ts'

const hour = 3_600_000
const origin = 494_444 * hour
const say = () => {}
const nothing = () => {}

function open(folder: string, now = () => origin): History {
  return openHistory({ folder, say, now })
}

function gauge(name: string, attributes: Series['attributes'] = {}): Series {
  return { name, unit: '1', kind: 'gauge', attributes }
}

/** Random operations on a history and on an array beside it. */
class Twin {
  readonly folder: string
  readonly dice: Random
  history: History
  now = origin
  all: Kept[] = []
  folded: Kept[] = []
  refs: Ref[] = []

  constructor(folder: string, dice: Random) {
    this.folder = folder
    this.dice = dice
    this.history = this.#open()
    this.#find()
  }

  #open(): History {
    return openHistory({ folder: this.folder, say, now: () => this.now })
  }

  #find(): void {
    const kinds = ['gauge', 'counter', 'gauge', 'counter'] as const
    const refs = kinds.map((kind, n) => this.history.ref('n1', { name: `m${n}`, unit: '1', kind, attributes: { n } }))
    const renamed = new Map(this.refs.map((ref, n) => [ref, refs[n]!]))
    const follow = (s: Kept) => ({ ...s, ref: renamed.get(s.ref) ?? s.ref })
    this.all = this.all.map(follow)
    this.folded = this.folded.map(follow)
    this.refs = refs
  }

  append(): void {
    const ref = this.dice.pick(this.refs)
    const step = this.dice.pick([1000, 1000, 250, 10_000])
    const late = this.dice.below(6) === 0 ? this.dice.below(3 * hour) : 0
    let time = this.now - late
    let value = this.dice.below(100_000) / 100
    for (let n = this.dice.below(400); n > 0; n--) {
      time += this.dice.below(30) === 0 ? this.dice.below(600_000) - 60_000 : step + this.dice.below(5) - 2
      if (this.dice.below(20) === 0) time -= step
      value = this.dice.below(50) === 0 ? this.dice.below(10) : value + this.dice.below(1000) / 100
      this.history.append(ref, time, value)
      this.all.push({ ref, time, value })
    }
    this.now = Math.max(this.now, time)
  }

  fold(): void {
    this.history.fold(this.all.length, nothing)
    this.folded = [...this.all]
  }

  reopen(): void {
    this.history.close()
    this.history = this.#open()
    this.all = [...this.folded]
    this.#find()
  }

  retain(): void {
    const age = this.dice.below(20) * hour
    while (this.history.retain({ age, max_bytes: 2 ** 40 }));
    const before = Math.floor((this.now - age) / hour) * hour
    const heads = new Set(this.all.slice(this.folded.length))
    this.folded = this.folded.filter(s => s.time >= before)
    this.all = [...this.folded, ...heads]
  }

  step(): void {
    const act = this.dice.below(20)
    if (act < 10) this.append()
    else if (act < 14) this.fold()
    else if (act < 17) this.history.compact(1 + this.dice.below(5000))
    else if (act === 17) this.retain()
    else if (act === 18) this.reopen()
    else this.now += this.dice.below(2 * hour)
  }

  /** What a random query says wrong. */
  check(): string[] {
    const ref = this.dice.pick(this.refs)
    const from = Math.max(0, this.now - this.dice.below(12 * hour))
    const to = from + 1 + this.dice.below(this.dice.pick([5000, 100_000, 12 * hour]))
    const want = expectRange(this.all, ref, from, to)
    const got = this.history.range(ref, from, to)
    const wrong = want.length === got.times.length ? [] : [`${got.times.length} samples, expected ${want.length}`]
    want.forEach((s, n) => {
      if (s.time !== got.times[n] || s.value !== got.values[n]) wrong.push(`sample ${n}`)
    })
    const { start, step, buckets, series } = this.history.query([ref], { from, to, buckets: 1 + this.dice.below(100) })
    const within = expectRange(this.all, ref, start, start + step * buckets)
    return wrong.slice(0, 3).concat(differences(series[0]!, expectBuckets(within, start, step, buckets)).slice(0, 3))
  }
}

t.test('random appends, folds, compactions, retention and restarts agree with a plain array', async t => {
  const dice = seeded(t)
  const twin = new Twin(t.testdir(), dice)
  const wrong: string[] = []
  for (let n = 0; n < 600 && wrong.length === 0; n++) {
    twin.step()
    wrong.push(...twin.check().map(problem => `after ${n} operations: ${problem}`))
  }
  t.same(wrong, [])
  const counts = twin.refs.map(ref => ref.count)
  t.same(
    counts,
    twin.refs.map(ref => twin.all.filter(s => s.ref === ref).length),
    'counts',
  )
  for (const ref of twin.refs.filter(r => r.count > 0)) {
    const times = twin.all.filter(s => s.ref === ref).map(s => s.time)
    t.equal(ref.firstTime, Math.min(...times), 'first time')
  }
  twin.history.close()
})

t.test('dense hours answer from minutes exactly as from samples, resets and late samples included', async t => {
  const dice = seeded(t)
  let now = origin
  const history = openHistory({ folder: t.testdir(), say, now: () => now })
  const all: Kept[] = []
  const refs = (['counter', 'gauge'] as const).map(kind => history.ref('n', { ...gauge(kind), kind }))
  const put = (ref: Ref, time: number, value: number) => {
    history.append(ref, time, value)
    all.push({ ref, time, value })
  }
  for (let n = 0; n < 2.5 * 3600; n++) {
    const value = n % 1900 === 0 ? 0 : (n % 1900) + dice.below(100) / 100
    for (const ref of refs) put(ref, origin + n * 1000 + dice.below(5), value)
    if (n % 120 === 0) history.fold(n, nothing)
  }
  now = origin + 4 * hour
  t.ok(history.compact(1e6) > 10_000)
  const kept = history.db.prepare('SELECT count(minutes) FROM chunk WHERE fresh = 0').pluck().get()
  t.equal(kept, 6, 'every series-hour has minutes')
  const verify = (from: number, to: number, wanted: number) => {
    for (const [n, answer] of history.query(refs, { from, to, buckets: wanted }).series.entries()) {
      const { start, step, buckets } = history.query(refs, { from, to, buckets: wanted })
      const samples = expectRange(all, refs[n]!, start, start + step * buckets)
      t.same(differences(answer, expectBuckets(samples, start, step, buckets)), [], `${from}..${to} in ${wanted}`)
    }
  }
  verify(origin, origin + 3 * hour, 30)
  verify(origin + 61_500, origin + 2 * hour + 1, 7)
  verify(origin - hour, origin + 5 * hour, 1)
  put(refs[0]!, origin + 1000 * 1000 + 500, 12)
  put(refs[1]!, origin + 1000 * 1000 + 500, -12)
  verify(origin, origin + 3 * hour, 30)
  history.fold(1, nothing)
  verify(origin, origin + 3 * hour, 30)
  t.ok(history.compact(1e6) > 0, 'the hour is compacted again')
  verify(origin, origin + 3 * hour, 30)
  t.equal(history.compact(1e6), 0, 'and then nothing is left to do')
  history.close()
})

t.test('among samples of the same time the one that came first stands first, folded or compacted', async t => {
  let now = origin
  const history = openHistory({ folder: t.testdir(), say, now: () => now })
  const ref = history.ref('n1', gauge('a'))
  for (const [time, value] of [
    [5, 1],
    [9, 2],
  ] as const)
    history.append(ref, origin + time, value)
  history.fold(1, nothing)
  for (const [time, value] of [
    [1, 3],
    [5, 4],
  ] as const)
    history.append(ref, origin + time, value)
  t.same([...history.range(ref, 0, now * 2).values], [3, 1, 4, 2])
  history.fold(2, nothing)
  t.same([...history.range(ref, 0, now * 2).values], [3, 1, 4, 2])
  now += 2 * hour
  history.compact(100)
  t.same([...history.range(ref, 0, now * 2).values], [3, 1, 4, 2])
  history.close()
})

t.test('one identity is one object, whatever the order of its attributes', async t => {
  const history = open(t.testdir())
  const ref = history.ref('n1', gauge('a', { x: 1, y: 'b' }))
  t.equal(history.ref('n1', gauge('a', { y: 'b', x: 1 })), ref)
  t.not(history.ref('n1', gauge('a', { y: 'b', x: '1' })), ref, 'a text is not a number')
  t.not(history.ref('n2', ref.series), ref)
  t.not(history.ref('n1', { ...ref.series, kind: 'counter' }), ref)
  t.same(history.find({ node: 'n1', name: 'a', attributes: { x: 1 } }).length, 2)
  t.equal(history.find({ limit: 3 }).length, 3)
  t.equal(history.find({ node: 'nobody' }).length, 0)
  t.equal(history.byId(ref.id), ref)
  history.close()
})

t.test('series, extents and cursor survive a restart; what was not folded does not', async t => {
  const folder = t.testdir()
  const history = open(folder)
  t.equal(history.cursor, 0)
  const ref = history.ref('n1', gauge('a'))
  history.append(ref, origin + 5.9, 1)
  history.append(ref, origin + 1, 2)
  t.equal(history.pending, 2)
  history.fold(17, db => db.exec('CREATE TABLE note (text); INSERT INTO note VALUES (7)'))
  history.append(ref, origin + 9, 3)
  history.close()
  const again = open(folder)
  const found = again.find({ name: 'a' })[0]!
  t.match(found, { id: ref.id, node: 'n1', series: ref.series, firstTime: origin + 1, lastTime: origin + 5, count: 2 })
  t.equal(again.cursor, 17)
  t.equal(again.db.prepare('SELECT text FROM note').pluck().get(), 7)
  t.same([...again.range(found, 0, origin * 2).values], [2, 1])
  again.close()
  again.close()
})

t.test('a fold that fails leaves heads, cursor and file as they were', async t => {
  const folder = t.testdir()
  const history = open(folder)
  const ref = history.ref('n1', gauge('a'))
  history.append(ref, origin, 1)
  t.throws(
    () =>
      history.fold(5, () => {
        throw new Error('no space')
      }),
    /no space/,
  )
  t.match([history.cursor, history.pending, ref.count], [0, 1, 1])
  t.same([...history.range(ref, 0, origin * 2).values], [1])
  history.append(ref, origin + 1, 2)
  history.fold(6, nothing)
  t.match([history.cursor, history.pending, ref.count], [6, 0, 2])
  t.same([...history.range(ref, 0, origin * 2).values], [1, 2])
  history.close()
})

t.test('a full disk fails the fold, and the next one after space came back keeps everything', async t => {
  const history = open(t.testdir())
  const ref = history.ref('n1', gauge('a'))
  const pages = history.db.pragma('page_count', { simple: true }) as number
  history.db.pragma(`max_page_count = ${pages + 1}`)
  for (let n = 0; n < 20_000; n++) history.append(ref, origin + n, Math.sin(n))
  t.throws(() => history.fold(1, nothing), { code: 'SQLITE_FULL' })
  t.equal(history.pending, 20_000)
  history.db.pragma('max_page_count = 100000')
  history.fold(1, nothing)
  t.equal(history.range(ref, 0, origin * 2).times.length, 20_000)
  history.close()
})

t.test('what is no time and no number is refused', async t => {
  const history = open(t.testdir())
  const ref = history.ref('n1', gauge('a'))
  for (const time of [Number.NaN, -1, Number.POSITIVE_INFINITY])
    t.throws(() => history.append(ref, time, 1), RangeError)
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) t.throws(() => history.append(ref, 1, value), RangeError)
  t.equal(history.pending, 0)
  for (const buckets of [0, 1.5, 1e9]) t.throws(() => history.query([ref], { from: 0, to: 1, buckets }), RangeError)
  t.throws(() => history.query([ref], { from: 5, to: 5, buckets: 1 }), RangeError)
  history.close()
})

t.test('the age of what is pending counts from the first sample after a fold', async t => {
  let now = origin
  const history = openHistory({ folder: t.testdir(), say, now: () => now })
  const ref = history.ref('n1', gauge('a'))
  t.equal(history.pendingAge, 0)
  history.append(ref, 1, 1)
  now += 500
  history.append(ref, 2, 1)
  t.equal(history.pendingAge, 500)
  history.fold(1, nothing)
  t.equal(history.pendingAge, 0)
  history.close()
})

t.test('a second process cannot open the same history', async t => {
  const folder = t.testdir()
  const history = open(folder)
  t.throws(() => open(folder), /history\.db is in use by another collector: stop it/)
  history.close()
})
