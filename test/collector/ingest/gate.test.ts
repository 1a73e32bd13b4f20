import t from 'tap'
import { Gate, type GateOptions, maxNodes, maxPayload, maxSamples } from '../../../collector/ingest/gate.ts'
import type { Parcel } from '../../../collector/ingest/inbox.ts'
import { envelope, noon } from './envelopes.ts'

const hour = 3_600_000
const day = 24 * hour

function gate(more: Partial<GateOptions> = {}): Gate {
  const limits = { bytes_per_second: 100_000, samples_per_second: 1000, series: 100 }
  return new Gate({ limits, retention_age: 30 * day, clock_floor: noon - day, ...more })
}

function parcel(more: Partial<Parcel> = {}): Parcel {
  return envelope(1, more)
}

t.test('a node within its limits is let through', async t => {
  const g = gate()
  for (let n = 0; n < 100; n++) t.equal(g.rule(parcel({ samples: 1000 }), noon + n * 1000), undefined)
})

t.test('a flood is told to wait until the node is within its limit again, and no other node is', async t => {
  const g = gate()
  let passed = 0
  while (g.rule(parcel({ samples: 500 }), noon) === undefined) passed++
  t.equal(passed, 20, 'ten seconds of 1000 samples at once')
  const ruling = g.rule(parcel({ samples: 500 }), noon)
  t.same(ruling, { retry_after: 100, flood: true })
  t.equal(g.rule(parcel({ node: 'press-2', samples: 500 }), noon), undefined)
  t.equal(g.rule(parcel({ samples: 500 }), noon + 100), undefined)
})

t.test('one parcel larger than what is left is let through and paid off', async t => {
  const g = gate()
  t.equal(g.rule(parcel({ samples: 20_000 }), noon), undefined)
  t.same(g.rule(parcel(), noon), { retry_after: 10_000, flood: true })
  t.same(g.rule(parcel(), noon + 10_001), undefined)
})

t.test('bytes count too, and many small envelopes cost what they cost', async t => {
  const g = gate()
  g.rule(parcel({ payload: Buffer.alloc(1_500_000) }), noon)
  t.match(g.rule(parcel(), noon), { retry_after: Number })
  const small = gate()
  let passed = 0
  while (small.rule(parcel({ samples: 0, payload: Buffer.alloc(0) }), noon) === undefined) passed++
  t.equal(passed, Math.ceil(1_000_000 / 1024))
})

t.test('what a parcel turned out to hold is charged afterwards', async t => {
  const g = gate()
  g.rule(parcel(), noon)
  g.charge('press-1', 30_000, 0)
  t.match(g.rule(parcel(), noon), { retry_after: 20_010 })
  g.charge('unknown', 1, 1)
})

t.test('a clock set back gives nothing and takes nothing', async t => {
  const g = gate()
  while (g.rule(parcel({ samples: 500 }), noon) === undefined);
  t.match(g.rule(parcel(), noon - hour), { retry_after: Number })
  t.equal(g.rule(parcel(), noon + hour), undefined)
})

const refused: Readonly<Record<string, readonly [Partial<Parcel>, RegExp]>> = {
  'dated 1970': [{ firstTime: 0 }, /^press-1: dated 1970-01-01, kept is only what is after 2026-05-02/],
  'dated 2090': [
    { lastTime: Date.UTC(2090, 0, 1) },
    /^press-1: dated 2090-01-01, which is to come; is its clock set\?/,
  ],
  'dated beyond what a date can be': [{ lastTime: 9e15 }, /dated 9000000000000000/],
  'with its last time before its first': [{ firstTime: noon, lastTime: noon - 1 }, /is after its last/],
  'that is too large': [{ payload: Buffer.alloc(maxPayload + 1) }, /4194305 bytes in one envelope, at most 4194304/],
  'that holds too many samples': [{ samples: maxSamples, events: 1 }, /100001 samples in one envelope, at most 100000/],
}

for (const [what, [change, message]] of Object.entries(refused)) {
  t.test(`a parcel ${what} is refused for ever, saying so`, async t => {
    const limits = { bytes_per_second: 1e9, samples_per_second: 1e9, series: 100 }
    t.match(gate({ limits }).rule(parcel(change), noon), { refused: message })
  })
}

t.test('a clock an hour or a day off is believed', async t => {
  t.equal(gate().rule(parcel({ firstTime: noon - hour, lastTime: noon + 25 * hour }), noon), undefined)
  t.match(gate().rule(parcel({ lastTime: noon + 25 * hour + 1 }), noon), { refused: String })
})

t.test('a collector whose own clock is not set refuses nothing for ever', async t => {
  t.same(gate().rule(parcel(), 1000), { retry_after: 60_000 })
})

t.test('more nodes than can be known wait, and are let in when others were quiet', async t => {
  const g = gate()
  for (let n = 0; n < maxNodes; n++) g.rule(parcel({ node: `n${n}` }), noon)
  t.same(g.rule(parcel({ node: 'one-more' }), noon), { retry_after: 60_000 })
  t.equal(g.rule(parcel({ node: 'n5' }), noon), undefined)
  t.equal(g.rule(parcel({ node: 'one-more' }), noon + 61_000), undefined)
})
